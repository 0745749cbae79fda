-- What time does to hosts: one that does not hold on to its lease is lost, and one that stays away is given up. Nothing happens by
-- itself in a database, so offices call the sweep from time to time.

-- When each office was swept last, so that of several processes one does it.
create table semo.sweeps (
  office_id text collate "C" primary key,
  swept_at timestamptz not null
);
alter table semo.sweeps enable row level security;
revoke all on semo.sweeps from public, anon, authenticated, service_role;

-- The end of a turn that nobody will tell any more. A prompt that was written down and never taken further has not left its host,
-- which can take no step by now; of any other nobody knows what came of it.
create function semo.lost_turn(p_info jsonb, p_session_id text, p_turn_id text, p_unsent boolean, p_why text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  moment constant bigint := semo.to_ms(semo.now());
  error constant jsonb := case when p_unsent
    then semo.wire_error('prompt_not_accepted', 'unknown', p_why || ' The prompt was never sent.', true)
    else semo.wire_error('delivery_unknown', 'unknown',
      p_why || ' Nobody knows what became of the prompt: look at the work before it is done again.', false)
    end - 'details';
begin
  if p_info #>> '{state,kind}' = 'ended' then return p_info; end if;
  return jsonb_build_object(
      'turnId', p_turn_id, 'sessionId', p_session_id, 'acceptedAt', moment, 'outputStart', 0, 'text', '',
      'milestones', '[]'::jsonb, 'percent', null, 'evidence', '[]'::jsonb
    ) || coalesce(p_info, '{}') || jsonb_build_object('state', jsonb_build_object(
      'kind', 'ended', 'outcome', case when p_unsent then 'failed' else 'unknown' end, 'confidence', 'certain',
      'decidedBy', 'lost', 'at', moment, 'error', error
    ));
end
$$;

-- Ends the turns of a session that is given up. Known of a turn is what was last told of it, else what its prompt was answered
-- with, else that a prompt was handed out and never answered. A prompt that no host has had is no turn.
create function semo.give_up_turns(p_host public.session_hosts, p_session_id text, p_why text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  ended jsonb;
begin
  with known as (
    select distinct on (k.turn_id) k.* from (
      select t.turn_id, t.info, t.delivery = 'intent' and t.state is null as unsent, 1 as rank
        from public.agent_turns t
        where t.office_id = p_host.office_id and t.session_id = p_session_id
      union all
      select coalesce(r.result, c.payload) ->> 'turnId', r.result, false, case when r.success then 2 else 3 end
        from public.agent_commands c
        -- Of each by the key, whatever is planned.
        cross join lateral (
          select * from public.agent_command_results one
          where one.office_id = c.office_id and one.command_id = c.command_id limit 1
        ) as r
        where c.office_id = p_host.office_id and c.session_id = p_session_id and c.kind = 'send_prompt'
          and c.status in ('completed', 'dead')
    ) as k
    where k.turn_id is not null
    order by k.turn_id, k.rank
  ),
  over as (
    insert into public.agent_turns as t
      (office_id, session_id, turn_id, host_id, host_epoch, state, info, outcome, intent_ms, ended_ms)
    select p_host.office_id, p_session_id, k.turn_id, p_host.host_id, p_host.epoch, 'ended', lost.info,
      lost.info #>> '{state,outcome}', (lost.info ->> 'acceptedAt')::double precision,
      (lost.info #>> '{state,at}')::double precision
    from known k
    cross join lateral semo.lost_turn(k.info, p_session_id, k.turn_id, coalesce(k.unsent, false), p_why) as lost (info)
    on conflict (office_id, session_id, turn_id) do update set
      state = 'ended', info = excluded.info, outcome = excluded.outcome, ended_ms = coalesce(t.ended_ms, excluded.ended_ms),
      version = t.version + 1, updated_at = semo.now()
    where t.state is distinct from 'ended'
    returning t.session_id, t.info
  )
  select jsonb_agg(jsonb_build_object('name', 'turn', 'sessionId', o.session_id, 'change', 'ended', 'turn', o.info,
    'at', semo.to_ms(semo.now()))) into ended from over o;
  return coalesce(ended, '[]');
end
$$;

-- Ends the commands of sessions that are given up. Gives the sessions without those that the host has never heard of.
create function semo.give_up_commands(p_host public.session_hosts, p_sessions text[]) returns text[]
language plpgsql set search_path = '' as $$
declare
  command public.agent_commands;
  left_behind text[] := p_sessions;
begin
  for command in
    select * from public.agent_commands c
    where c.office_id = p_host.office_id and c.host_id = p_host.host_id and c.session_id = any (p_sessions)
      and c.status in ('pending', 'processing')
    for no key update
  loop
    if semo.has_been_out(command) then
      perform semo.give_up(command, 'dead', semo.unanswered(command));
    else
      perform semo.give_up(command, 'failed', semo.wire_error('host_lost', 'host_lost',
        'The host was lost before it took the command. Nothing of it was done.', true));
      if command.kind = 'create_session' then left_behind := array_remove(left_behind, command.session_id); end if;
    end if;
  end loop;
  return left_behind;
end
$$;

-- Withdraws what the agent of a session that is given up has asked of people.
create function semo.give_up_requests(p_host public.session_hosts, p_session_id text) returns jsonb
language sql set search_path = '' as $$
  with withdrawn as (
    update public.agent_requests r set
      state = 'withdrawn', settled_ms = semo.to_ms(semo.now()), version = r.version + 1, updated_at = semo.now(),
      record = r.record || jsonb_build_object('state', jsonb_build_object(
        'kind', 'withdrawn', 'why', 'session_ended', 'at', semo.to_ms(semo.now())
      ))
      where r.office_id = p_host.office_id and r.session_id = p_session_id and r.state = 'open'
      returning r.record
  )
  select coalesce(jsonb_agg(w.record || jsonb_build_object('name', 'request_settled', 'at', semo.to_ms(semo.now()))), '[]')
  from withdrawn w
$$;

/*
 Gives up sessions of a host that stays away: what it was asked is over, its turns have an end, and so have they. What their host
 still tells of them is not taken any more; when it comes back it is told to end them.
*/
create function semo.give_up_sessions(p_host public.session_hosts, p_sessions text[]) returns void
language plpgsql set search_path = '' as $$
declare
  why constant text := format('Host %s was lost, and was given up.', p_host.host_id);
  moment constant bigint := semo.to_ms(semo.now());
  told jsonb := '[]';
  one text;
begin
  -- One session after the other: a list of keys may be planned as a look at the whole office before PostgreSQL 17.
  foreach one in array semo.give_up_commands(p_host, p_sessions) loop
    told := told || semo.give_up_turns(p_host, one, why) || semo.give_up_requests(p_host, one);
    update public.agent_sessions s set
      status = 'terminated', given_up_at = semo.now(), left_behind = true, ended_at = coalesce(s.ended_at, semo.now()),
      info = s.info || '{"status": "terminated", "terminalId": null, "turnId": null, "exit": null}', version = s.version + 1,
      updated_at = semo.now()
      where s.office_id = p_host.office_id and s.session_id = one;
    told := told || jsonb_build_array(
      jsonb_build_object('name', 'status', 'sessionId', one, 'status', 'terminated', 'at', moment),
      jsonb_build_object('name', 'exit', 'sessionId', one, 'code', null, 'signal', null, 'at', moment)
    );
  end loop;
  perform semo.tell_in_its_place(p_host.office_id, p_host.host_id, told);
end
$$;

/*
 Notices what time has done: hosts that have not held on to their lease are lost, with their sessions; the sessions of those that
 have stayed away for p_grace_ms are given up; commands that have come to the end of their way are ended; events that were told
 longer ago than p_keep_ms, and hosts that have been away for p_forget_ms and have nothing open, are forgotten, but for those that
 the office drains: they are to find that said when they are back. Call it every few seconds from the office, or by pg_cron.
 Nothing is done where somebody else has, less than p_pause_ms ago.
*/
create function public.semo_sweep(
  p_office_id text, p_limit integer default 1000, p_grace_ms bigint default 120000, p_pause_ms bigint default 0,
  p_forget_ms bigint default 3600000, p_keep_ms bigint default 600000
) returns table (lost_hosts text[], ended_commands integer, given_up_sessions text[])
language plpgsql security definer set search_path = '' as $$
declare
  host public.session_hosts;
  sessions text[];
  lost text[] := '{}';
  given_up text[] := '{}';
begin
  perform semo.check_office(p_office_id);
  insert into semo.sweeps as last (office_id, swept_at) values (p_office_id, semo.now())
  on conflict (office_id) do update set swept_at = semo.now() where last.swept_at <= semo.after_ms(-p_pause_ms);
  if not found then return query select lost, 0, given_up; return; end if;
  for host in
    select * from public.session_hosts h
    where h.office_id = p_office_id and h.state = 'online' and h.lease_expires_at <= semo.now()
    order by h.host_id
    for no key update skip locked
  loop
    perform semo.lose_host(p_office_id, host.host_id, 'lost');
    lost := lost || host.host_id;
  end loop;
  for host in
    select * from public.session_hosts h
    where h.office_id = p_office_id and h.state <> 'online' and exists (
      select from public.agent_sessions s
      where s.office_id = h.office_id and s.host_id = h.host_id and s.ended_at is null
        and s.host_lost_at <= semo.after_ms(-p_grace_ms)
    )
    order by h.host_id
    for no key update skip locked
  loop
    select array_agg(s.session_id) into sessions from public.agent_sessions s
      where s.office_id = p_office_id and s.host_id = host.host_id and s.ended_at is null
        and s.host_lost_at <= semo.after_ms(-p_grace_ms);
    perform semo.give_up_sessions(host, sessions);
    given_up := given_up || sessions;
  end loop;
  return query select lost, semo.bury_commands(p_office_id, p_limit), given_up;
  perform semo.forget_told_by_all(p_office_id, p_keep_ms, p_limit);
  -- Where hosts come and go under names of their own, every look at the living ones would be through all there ever were.
  delete from public.session_hosts h
    where h.office_id = p_office_id and h.state <> 'online' and h.lease_expires_at <= semo.after_ms(-p_forget_ms)
      and not h.draining_by_office
      and not exists (
        select from public.agent_sessions s
        where s.office_id = h.office_id and s.host_id = h.host_id and s.ended_at is null
      )
      and not exists (
        select from public.agent_commands c
        where c.office_id = h.office_id and c.host_id = h.host_id and c.status in ('pending', 'processing')
      );
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function public.semo_sweep from public, anon, authenticated, service_role;
grant execute on function public.semo_sweep to authenticated, service_role;
