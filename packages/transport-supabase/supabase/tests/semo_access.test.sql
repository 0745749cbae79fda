-- Who may do what. Run with `supabase test db`.
begin;
create extension if not exists pgtap with schema extensions;
select plan(19);

-- Two offices, each with a host and a session.
select set_config('role', 'service_role', true);
select semo_register_host('tap_a', 'h1', 1, 5);
select semo_register_host('tap_b', 'h1', 1, 5);
select semo_enqueue_command('tap_a', 'cmd_a', 'create_session', '{}', 'ses_a');
select semo_enqueue_command('tap_b', 'cmd_b', 'create_session', '{}', 'ses_b');
create temporary table other as select epoch from semo_register_host('tap_a', 'h2', 1, 5);
grant select on other to authenticated;
select is((select count(*)::int from agent_commands where office_id like 'tap%'), 2, 'the server sees every office');
select throws_ok('delete from agent_commands', '42501', null, 'and writes to no table');

select set_config('role', 'authenticated', true);
select set_config('request.jwt.claims', '{"app_metadata":{"semo":{"role":"office","office_id":"tap_a"}}}', true);
select is((select array_agg(command_id) from agent_commands), array['cmd_a'], 'an office sees its own commands');
select is((select array_agg(distinct office_id) from session_hosts), array['tap_a'], 'and its own hosts');
select throws_ok($$ select semo_get_command('tap_b', 'cmd_b') $$, '42501', null, 'and asks for nobody else''s');
select throws_ok(
  $$ select semo_claim_commands('tap_a', 'h1', 1) $$, '42501', null, 'it is no host'
);

select set_config('request.jwt.claims', '{"app_metadata":{"semo":{"role":"host","office_id":"tap_b","host_id":"h1"}}}', true);
select is((select array_agg(command_id) from agent_commands), array['cmd_b'], 'a host sees its own commands');
select throws_ok(
  $$ select semo_register_host('tap_a', 'h1', 1, 5) $$, '42501', null, 'and registers nowhere else'
);
select throws_ok($$ select semo_enqueue_command('tap_b', 'cmd_x', 'cancel', '{}', 'ses_b') $$, '42501', null, 'it is no office');
select throws_ok($$ select semo_put_job('tap_b', '{}') $$, '42501', null, 'and has no business with jobs');

select set_config('request.jwt.claims', '{"app_metadata":{"semo":{"role":"host","office_id":"tap_a","host_id":"h2"}}}', true);
select throws_ok(
  $$ select semo_put_turn('tap_a', 'h2', (select epoch from other), '{"sessionId":"ses_a","turnId":"turn_a","delivery":{"kind":"intent","intentAt":1}}') $$,
  'P0001', null, 'a host writes in no session of another host'
);
select throws_ok(
  $$ select semo_put_request('tap_a', 'h2', (select epoch from other), '{"request":{"sessionId":"ses_a","requestId":"req_a","turnId":"turn_a","kind":"question","askedAt":1},"state":{"kind":"open"}}') $$,
  'P0001', null, 'asks nothing in its name'
);
select throws_ok(
  $$ select semo_report_session('tap_a', 'h2', (select epoch from other), '{"sessionId":"ses_a","status":"terminated"}') $$,
  'P0001', null, 'and does not say how it is'
);
select lives_ok(
  $$ select semo_publish_events('tap_a', 'h2', (select epoch from other), 1, '[{"name":"status","sessionId":"ses_a","status":"terminated"}, {"name":"status","sessionId":"ses_own","status":"ready"}]') $$,
  'what it tells is taken'
);
select set_config('request.jwt.claims', '{"app_metadata":{"semo":{"role":"office","office_id":"tap_a"}}}', true);
select is(
  (select events #>> '{0,sessionId}' || jsonb_array_length(events) from semo_read_events('tap_a')), 'ses_own1', 'but of its own sessions only'
);

select set_config('request.jwt.claims', '{"user_metadata":{"semo":{"role":"office","office_id":"tap_a"}}}', true);
select is((select count(*)::int from agent_commands), 0, 'what users say of themselves counts for nothing');

select set_config('role', 'anon', true);
select throws_ok('select * from agent_commands', '42501', null, 'a stranger sees nothing');
select throws_ok($$ select semo_get_command('tap_a', 'cmd_a') $$, '42501', null, 'and asks for nothing');
select throws_ok('select semo.now()', '42501', null, 'and nobody reaches what is behind');

select * from finish();
rollback;
