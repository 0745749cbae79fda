-- The Realtime server keeps partitions of `realtime.messages` for the days around today, and drops those that are older; here each
-- start of the database does, and whoever asks for it. `testbed.today` may say another day.
do $$
declare
  today constant date := coalesce(nullif(current_setting('testbed.today', true), '')::date, current_date);
  day date;
  old regclass;
begin
  for day in select generate_series(today - 2, today + 3, interval '1 day')::date loop
    execute format(
      'create table if not exists realtime.%I partition of realtime.messages for values from (%L) to (%L)',
      'messages_' || to_char(day, 'YYYY_MM_DD'), day, day + 1
    );
  end loop;
  for old in
    select i.inhrelid from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass and c.relname < 'messages_' || to_char(today - 2, 'YYYY_MM_DD')
  loop
    execute format('drop table if exists %s', old);
  end loop;
end
$$;
