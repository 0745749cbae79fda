-- The Realtime server makes the partitions of the days around today; here each start of the database does.
do $$
declare
  day date;
begin
  for day in select generate_series(current_date - 2, current_date + 3, interval '1 day')::date loop
    execute format(
      'create table if not exists realtime.%I partition of realtime.messages for values from (%L) to (%L)',
      'messages_' || to_char(day, 'YYYY_MM_DD'), day, day + 1
    );
  end loop;
end
$$;
