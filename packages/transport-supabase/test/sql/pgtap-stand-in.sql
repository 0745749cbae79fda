-- The few functions of pgTAP that our files for users call, so that they run where that extension is not installed.
create function extensions.tap_line(p_ok boolean, p_says text, p_why text default null) returns text
language plpgsql as $$
declare
  number integer := coalesce(nullif(current_setting('tap.done', true), '')::integer, 0) + 1;
begin
  perform set_config('tap.done', number::text, true);
  return case when p_ok then '' else 'not ' end || format('ok %s - %s', number, p_says) || coalesce(E'\n# ' || p_why, '');
end
$$;

create function extensions.plan(p_tests integer) returns text language plpgsql as $$
begin
  perform set_config('tap.planned', p_tests::text, true);
  perform set_config('tap.done', '0', true);
  return '1..' || p_tests;
end
$$;

create function extensions.finish() returns setof text language sql as $$
  select format('# planned %s, ran %s', current_setting('tap.planned'), current_setting('tap.done'))
  where current_setting('tap.planned') <> current_setting('tap.done')
$$;

create function extensions.is(p_have anyelement, p_want anyelement, p_says text) returns text language sql as $$
  select extensions.tap_line(p_have is not distinct from p_want, p_says, format('have %s, want %s', p_have, p_want))
$$;

create function extensions.lives_ok(p_sql text, p_says text) returns text language plpgsql as $$
begin
  execute p_sql;
  return extensions.tap_line(true, p_says);
exception when others then
  return extensions.tap_line(false, p_says, sqlerrm);
end
$$;

create function extensions.throws_ok(p_sql text, p_code text, p_message text, p_says text) returns text language plpgsql as $$
begin
  execute p_sql;
  return extensions.tap_line(false, p_says, 'nothing was thrown');
exception when others then
  return extensions.tap_line(sqlstate = p_code and (p_message is null or sqlerrm = p_message), p_says, sqlstate || ' ' || sqlerrm);
end
$$;
