-- How a command goes from an office to a host and back. Run with `supabase test db`.
begin;
create extension if not exists pgtap with schema extensions;
select plan(17);
select set_config('role', 'service_role', true);

select throws_ok(
  $$ select semo_register_host('tap', 'h1', 99, 5) $$, 'P0001', null, 'a host that speaks another protocol is refused'
);
select throws_ok(
  $$ select semo_enqueue_command('tap', 'cmd_1', 'create_session', '{}', 'ses_1') $$, 'P0001', null,
  'where no host is there, nothing is asked'
);
create temporary table host as select epoch from semo_register_host('tap', 'h1', 1, 1);
select is(
  (select host_id from semo_enqueue_command('tap', 'cmd_1', 'create_session', '{}', 'ses_1')), 'h1', 'a session gets a host'
);
select throws_ok(
  $$ select semo_enqueue_command('tap', 'cmd_2', 'create_session', '{}', 'ses_2') $$, 'P0001', null, 'and takes its place'
);
select is(
  (select seq::int from semo_enqueue_command('tap', 'cmd_1', 'create_session', '{}', 'ses_1')), 1, 'asking twice is asking once'
);
select lives_ok($$ select semo_enqueue_command('tap', 'cmd_3', 'send_prompt', '{}', 'ses_1') $$, 'a prompt waits behind it');
select lives_ok($$ select semo_enqueue_command('tap', 'cmd_4', 'cancel', '{}', 'ses_1') $$, 'a cancel does not');

create temporary table claimed as select * from semo_claim_commands('tap', 'h1', (select epoch from host), 10, 0);
select is((select array_agg(command_id order by seq) from claimed), array['cmd_1', 'cmd_4'], 'the oldest of each lane');
create temporary table again as select * from semo_claim_commands('tap', 'h1', (select epoch from host), 10, 60000);
select is((select array_agg(attempts) from again), array[2, 2], 'handed out again once the lease is over');
select throws_ok(
  $$ select semo_complete_command('tap', 'h1', (select epoch from host), 'cmd_1', (select lease_token from claimed where seq = 1), '1') $$,
  'P0001', null, 'the earlier lease counts for nothing'
);
select lives_ok(
  $$ select semo_complete_command('tap', 'h1', (select epoch from host), 'cmd_1', (select lease_token from again where seq = 1), '1') $$,
  'the later one does'
);
select is((select status from semo_get_command('tap', 'cmd_1')), 'completed', 'what came of it is there');
select is((select payload from agent_commands where office_id = 'tap' and command_id = 'cmd_1'), null::jsonb, 'what was asked is not');
select is(
  (select command_id from semo_claim_commands('tap', 'h1', (select epoch from host))), 'cmd_3', 'the lane goes on'
);
select is(semo_withdraw_command('tap', 'cmd_3'), false, 'what a host has is not taken back');

select semo_register_host('tap', 'h1', 1, 1);
select throws_ok(
  $$ select semo_claim_commands('tap', 'h1', (select epoch from host)) $$, 'P0001', null, 'an earlier epoch claims nothing'
);
select is((select semo_prune('tap')), 0, 'nothing is forgotten that is fresh or open');

select * from finish();
rollback;
