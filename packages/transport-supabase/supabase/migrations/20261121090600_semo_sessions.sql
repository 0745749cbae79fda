-- What hosts tell of sessions and turns. Everything is written under the host's fence, and a row that a later epoch has
-- written is not written by an earlier one.
--
-- Two ways lead here. A host that keeps its records here (a SessionStore) uses put and advance. Every host reports what it
-- announces, so that whoever missed the announcement can read it: a turn's end is a row, and the broadcast only says so.

create function semo.conversation_of(p_info jsonb) returns text
language sql immutable set search_path = '' as $$
  select p_info #>> '{agent,conversationId}'
$$;

-- Refuses to take over a session that belongs to another host. Gives what is known of it; nothing: no office has placed it, and
-- no host has spoken of it.
create function semo.own_session(p_office_id text, p_host_id text, p_session_id text) returns public.agent_sessions
language plpgsql stable set search_path = '' as $$
declare
  session public.agent_sessions;
begin
  -- By the whole key and nothing else, so that it is found by that, whenever this was planned.
  select * into session from public.agent_sessions s where s.office_id = p_office_id and s.session_id = p_session_id;
  if session.host_id <> p_host_id then
    perform semo.refuse('session_conflict', format('Session %s belongs to another host.', p_session_id),
      jsonb_build_object('sessionId', p_session_id));
  end if;
  return session;
end
$$;

-- A session as a host speaks of it. One that no office has placed belongs from then on to the host that speaks of it first.
create function semo.told_session(p_office_id text, p_host_id text, p_session_id text) returns public.agent_sessions
language plpgsql set search_path = '' as $$
declare
  session public.agent_sessions;
begin
  select * into session from public.agent_sessions s where s.office_id = p_office_id and s.session_id = p_session_id;
  if found or not semo.is_id(p_session_id) then return session; end if;
  insert into public.agent_sessions (office_id, session_id, host_id, unplaced)
    values (p_office_id, p_session_id, p_host_id, true)
    on conflict do nothing;
  select * into session from public.agent_sessions s where s.office_id = p_office_id and s.session_id = p_session_id;
  return session;
end
$$;

-- Lets a host write only in a session of its own, and begin nothing in one that was given up while it was away.
create function semo.check_living_session(p_office_id text, p_host_id text, p_session_id text) returns void
language plpgsql set search_path = '' as $$
declare
  session public.agent_sessions;
begin
  session := semo.told_session(p_office_id, p_host_id, p_session_id);
  if session.host_id <> p_host_id then perform semo.own_session(p_office_id, p_host_id, p_session_id); end if;
  if session.given_up_at is not null then
    perform semo.refuse('session_terminated', format('Session %s was given up while its host was away.', p_session_id),
      jsonb_build_object('sessionId', p_session_id, 'givenUp', true));
  end if;
end
$$;

-- Whether a session is that host's: one whose making has failed may have another by now.
create function semo.has_session(p_office_id text, p_host_id text, p_session_id text) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  owner text;
begin
  select s.host_id into owner from public.agent_sessions s where s.office_id = p_office_id and s.session_id = p_session_id;
  return coalesce(owner = p_host_id, false);
end
$$;

-- The conversation that a host says its session has. A conversation goes on where it lies, so one that another host has told of
-- stays that host's, whoever else speaks of it.
create function semo.told_conversation(p_session public.agent_sessions, p_office_id text, p_host_id text, p_told text)
returns text
language plpgsql stable set search_path = '' as $$
begin
  if p_told is null or p_told = p_session.conversation_id then return p_told; end if;
  if exists (
    select from public.agent_sessions s
    where s.office_id = p_office_id and s.conversation_id = p_told and s.host_id <> p_host_id
  ) then
    return p_session.conversation_id;
  end if;
  return p_told;
end
$$;

-- Keeps a session's record, or what is now known of it. A record that says when it ended stays as it is.
create function public.semo_put_session(p_office_id text, p_host_id text, p_epoch bigint, p_record jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  p_session_id text := p_record ->> 'sessionId';
  info jsonb := p_record -> 'info';
  known public.agent_sessions;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  known := semo.own_session(p_office_id, p_host_id, p_session_id);
  insert into public.agent_sessions as s
    (office_id, session_id, host_id, unplaced, host_epoch, status, info, record, record_host, conversation_id, created_ms, ended_ms,
      ended_at, version)
  values (
    p_office_id, p_session_id, p_host_id, true, p_epoch, info ->> 'status', info, p_record, p_record ->> 'hostId',
    semo.told_conversation(known, p_office_id, p_host_id, p_record ->> 'conversationId'), (info ->> 'createdAt')::double precision, (p_record ->> 'endedAt')::double precision,
    case when p_record ->> 'endedAt' is not null then semo.now() end, 1
  )
  on conflict (office_id, session_id) do update set
    host_epoch = excluded.host_epoch, record = excluded.record,
    -- What offices were told of one that was given up stays; its host's own records go on.
    status = case when s.given_up_at is null then excluded.status else s.status end,
    info = case when s.given_up_at is null then excluded.info else s.info end,
    record_host = excluded.record_host, conversation_id = excluded.conversation_id, created_ms = excluded.created_ms,
    ended_ms = excluded.ended_ms, ended_at = coalesce(s.ended_at, excluded.ended_at), host_lost_at = null,
    version = s.version + 1, updated_at = semo.now()
  where s.host_id = p_host_id and s.ended_ms is null and coalesce(s.host_epoch, 0) <= p_epoch;
end
$$;

-- What a host announces of a session: its SessionInfo. What has been terminated is not announced otherwise again.
create function public.semo_report_session(p_office_id text, p_host_id text, p_epoch bigint, p_info jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  p_session_id text := p_info ->> 'sessionId';
  known public.agent_sessions;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  known := semo.own_session(p_office_id, p_host_id, p_session_id);
  insert into public.agent_sessions as s
    (office_id, session_id, host_id, unplaced, host_epoch, status, info, conversation_id, created_ms, ended_at, version)
  values (
    p_office_id, p_session_id, p_host_id, true, p_epoch, p_info ->> 'status', p_info,
    semo.told_conversation(known, p_office_id, p_host_id, semo.conversation_of(p_info)),
    (p_info ->> 'createdAt')::double precision, case when p_info ->> 'status' = 'terminated' then semo.now() end, 1
  )
  on conflict (office_id, session_id) do update set
    host_epoch = excluded.host_epoch, status = excluded.status, info = excluded.info,
    conversation_id = coalesce(excluded.conversation_id, s.conversation_id), created_ms = excluded.created_ms,
    ended_at = excluded.ended_at, host_lost_at = null, version = s.version + 1, updated_at = semo.now()
  where s.host_id = p_host_id and coalesce(s.host_epoch, 0) <= p_epoch
    and s.ended_ms is null and s.status <> 'terminated';
end
$$;

-- Keeps a new turn's record. One that is kept already stays as it is.
create function public.semo_put_turn(p_office_id text, p_host_id text, p_epoch bigint, p_record jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  delivery jsonb := p_record -> 'delivery';
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform semo.check_living_session(p_office_id, p_host_id, p_record ->> 'sessionId');
  insert into public.agent_turns as t
    (office_id, session_id, turn_id, host_id, host_epoch, delivery, record, intent_ms, ended_ms, state, info, outcome)
  values (
    p_office_id, p_record ->> 'sessionId', p_record ->> 'turnId', p_host_id, p_epoch, delivery ->> 'kind', p_record,
    (delivery ->> 'intentAt')::double precision, (delivery ->> 'endedAt')::double precision,
    delivery #>> '{turn,state,kind}', delivery -> 'turn', delivery #>> '{turn,state,outcome}'
  )
  on conflict (office_id, session_id, turn_id) do update set
    host_epoch = excluded.host_epoch, delivery = excluded.delivery, record = excluded.record, intent_ms = excluded.intent_ms,
    ended_ms = coalesce(t.ended_ms, excluded.ended_ms), version = t.version + 1, updated_at = semo.now()
  -- It was announced before it was kept.
  where t.host_id = p_host_id and t.record is null;
end
$$;

-- The record of a turn after a step; null: it has come as far already, or farther. As the library's own `advancedTurn`.
create function semo.advanced_turn(p_record jsonb, p_step jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  steps constant text[] := array['intent', 'submitted', 'accepted', 'ended'];
  kind text := p_step ->> 'kind';
  delivery jsonb := p_record -> 'delivery';
  learnt jsonb := p_record;
begin
  if array_position(steps, kind) <= array_position(steps, delivery ->> 'kind') then return null; end if;
  if p_step ? 'conversationId' then learnt := learnt || jsonb_build_object('conversationId', p_step -> 'conversationId'); end if;
  if p_step ? 'outputStart' then learnt := learnt || jsonb_build_object('outputStart', p_step -> 'outputStart'); end if;
  delivery := jsonb_build_object('kind', kind, 'intentAt', delivery -> 'intentAt') || case kind
    when 'submitted' then jsonb_build_object('submittedAt', p_step -> 'at')
    when 'accepted' then
      jsonb_build_object('submittedAt', coalesce(delivery -> 'submittedAt', 'null'), 'acceptedAt', p_step -> 'at')
    else jsonb_build_object(
      'submittedAt', coalesce(delivery -> 'submittedAt', 'null'), 'acceptedAt', coalesce(delivery -> 'acceptedAt', 'null'),
      'endedAt', p_step -> 'at', 'turn', p_step -> 'turn')
  end;
  return learnt || jsonb_build_object('delivery', delivery);
end
$$;

-- Takes a turn a step further. Only one caller ever gets true for a step; false: it has come as far, or there is no record.
create function public.semo_advance_turn(
  p_office_id text, p_host_id text, p_epoch bigint, p_session_id text, p_turn_id text, p_step jsonb
) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  turn public.agent_turns;
  next jsonb;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  if not semo.has_session(p_office_id, p_host_id, p_session_id) then return false; end if;
  -- What cannot be written down is not sent.
  if p_step ->> 'kind' = 'submitted' then
    perform semo.check_living_session(p_office_id, p_host_id, p_session_id);
  end if;
  select * into turn from public.agent_turns t
    where t.office_id = p_office_id and t.session_id = p_session_id and t.turn_id = p_turn_id and t.host_id = p_host_id
      and t.record is not null and t.host_epoch <= p_epoch
    for no key update;
  if not found then return false; end if;
  next := semo.advanced_turn(turn.record, p_step);
  if next is null then return false; end if;
  update public.agent_turns t set
    host_epoch = p_epoch, record = next, delivery = next #>> '{delivery,kind}',
    ended_ms = coalesce(t.ended_ms, (next #>> '{delivery,endedAt}')::double precision),
    state = case when t.state is distinct from 'ended' then coalesce(next #>> '{delivery,turn,state,kind}', t.state) else t.state end,
    info = case when t.state is distinct from 'ended' then coalesce(next #> '{delivery,turn}', t.info) else t.info end,
    outcome = coalesce(t.outcome, next #>> '{delivery,turn,state,outcome}'),
    version = t.version + 1, updated_at = semo.now()
    where t.office_id = p_office_id and t.session_id = p_session_id and t.turn_id = p_turn_id;
  return true;
end
$$;

-- Forgets a turn that never was: its prompt was refused. One that has ended stays.
create function public.semo_forget_turn(
  p_office_id text, p_host_id text, p_epoch bigint, p_session_id text, p_turn_id text
) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  if not semo.has_session(p_office_id, p_host_id, p_session_id) then return; end if;
  delete from public.agent_turns t
    where t.office_id = p_office_id and t.session_id = p_session_id and t.turn_id = p_turn_id and t.host_id = p_host_id
      and t.ended_ms is null;
end
$$;

-- What a host announces of a turn: its TurnInfo. A verdict never changes.
create function public.semo_report_turn(p_office_id text, p_host_id text, p_epoch bigint, p_turn jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  new_state text := p_turn #>> '{state,kind}';
  new_end double precision := case when new_state = 'ended' then (p_turn #>> '{state,at}')::double precision end;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform semo.check_living_session(p_office_id, p_host_id, p_turn ->> 'sessionId');
  insert into public.agent_turns as t
    (office_id, session_id, turn_id, host_id, host_epoch, state, info, outcome, intent_ms, ended_ms)
  values (
    p_office_id, p_turn ->> 'sessionId', p_turn ->> 'turnId', p_host_id, p_epoch, new_state, p_turn,
    p_turn #>> '{state,outcome}', (p_turn ->> 'acceptedAt')::double precision, new_end
  )
  on conflict (office_id, session_id, turn_id) do update set
    host_epoch = excluded.host_epoch, state = excluded.state, info = excluded.info, outcome = excluded.outcome,
    ended_ms = coalesce(t.ended_ms, excluded.ended_ms), version = t.version + 1, updated_at = semo.now()
  where t.host_id = p_host_id and t.host_epoch <= p_epoch and t.state is distinct from 'ended';
end
$$;

-- Forgets a host's turns that ended before that moment, in epoch milliseconds, then its sessions that did and have no turn left.
create function public.semo_prune_sessions(
  p_office_id text, p_host_id text, p_epoch bigint, p_ended_before double precision
) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  turns integer;
  sessions integer;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  delete from public.agent_turns t
    where t.office_id = p_office_id and t.host_id = p_host_id and t.ended_ms < p_ended_before;
  get diagnostics turns = row_count;
  delete from public.agent_sessions s
    where s.office_id = p_office_id and s.host_id = p_host_id and s.ended_ms < p_ended_before
      and not exists (
        select from public.agent_turns t where t.office_id = s.office_id and t.session_id = s.session_id
      );
  get diagnostics sessions = row_count;
  return turns + sessions;
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_put_session, public.semo_report_session, public.semo_put_turn, public.semo_advance_turn,
  public.semo_forget_turn, public.semo_report_turn, public.semo_prune_sessions
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_put_session, public.semo_report_session, public.semo_put_turn, public.semo_advance_turn,
  public.semo_forget_turn, public.semo_report_turn, public.semo_prune_sessions
  to authenticated, service_role;
