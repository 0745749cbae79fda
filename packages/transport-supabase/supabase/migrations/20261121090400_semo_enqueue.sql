-- The office's side of commands: asking, asking again, taking back, and reading what came of it.

-- The lane of a kind. Typing goes by `control`: a prompt that waits must not hold back the keys a running turn waits for.
create function semo.lane_of(p_kind text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case when p_kind in ('create_session', 'send_prompt', 'reset', 'assign_workspace') then 'turn' else 'control' end;
end
$$;

-- Refuses to let an office speak with a host that speaks another protocol.
create function semo.check_protocol(p_host public.session_hosts, p_protocol integer) returns void
language plpgsql set search_path = '' as $$
begin
  if p_host.protocol = coalesce(p_protocol, p_host.protocol) then return; end if;
  perform semo.refuse('not_supported',
    format('Host %s speaks protocol %s, and this office %s. Upgrade the %s.', p_host.host_id, p_host.protocol, p_protocol,
      case when p_host.protocol < p_protocol then 'host' else 'office' end),
    jsonb_build_object('hostId', p_host.host_id, 'protocol', p_host.protocol, 'officeProtocol', p_protocol));
end
$$;

/*
 Chooses the host of a new session: living, not draining, with room, with all the labels, able to run the agent; the one with
 the fewest sessions for its capacity, then by id. A conversation that is to go on lies on the disk of the host that had it,
 so that host or none.
*/
create function semo.choose_host(
  p_office_id text, p_spec jsonb, p_host_id text, p_labels text[], p_protocol integer
) returns text
language plpgsql set search_path = '' as $$
declare
  wanted text := p_host_id;
  was_given_up boolean := false;
  chosen text;
  living integer;
begin
  -- One at a time within an office, so that two cannot both take the last place.
  perform pg_advisory_xact_lock(hashtextextended('semo.place:' || p_office_id, 0));
  if p_spec #>> '{agent,resume}' is not null then
    select s.host_id, s.given_up_at is not null into wanted, was_given_up from public.agent_sessions s
      where s.office_id = p_office_id and s.conversation_id = p_spec #>> '{agent,resume}'
      order by s.placed_at desc limit 1;
    wanted := coalesce(wanted, p_host_id);
  end if;
  select h.host_id into chosen
    from public.session_hosts h
    cross join lateral (
      select count(*) as sessions from public.agent_sessions s
      where s.office_id = h.office_id and s.host_id = h.host_id and s.ended_at is null and s.host_lost_at is null
    ) as load
    where h.office_id = p_office_id and h.state = 'online' and h.lease_expires_at > semo.now() and not h.draining
      and (wanted is null or h.host_id = wanted) and h.labels @> p_labels and h.protocol = coalesce(p_protocol, h.protocol)
      and (h.agents = '{}' or coalesce(h.agents ? (p_spec #>> '{agent,kind}'), true))
      and load.sessions < h.capacity
    order by load.sessions::numeric / h.capacity, h.host_id
    limit 1;
  if chosen is not null then return chosen; end if;

  select count(*) into living from public.session_hosts h
    where h.office_id = p_office_id and h.state = 'online' and h.lease_expires_at > semo.now()
      and (wanted is null or h.host_id = wanted);
  if living = 0 and was_given_up then
    perform semo.refuse('conversation_unknown',
      format('The conversation lies on host %s, which was away for too long. Begin a new one.', wanted),
      jsonb_build_object('hostId', wanted));
  end if;
  if living = 0 then
    perform semo.refuse('host_lost',
      case when wanted is null then 'No host of this office is there. Start one, or wait until one is back.'
        else format('Host %s is not there, and the session can be on no other. Start it, or wait until it is back.', wanted)
      end, jsonb_build_object('hostId', wanted));
  end if;
  -- Where all speak another protocol, that is why.
  if not exists (
    select from public.session_hosts h
    where h.office_id = p_office_id and h.state = 'online' and h.lease_expires_at > semo.now()
      and (wanted is null or h.host_id = wanted) and h.protocol = coalesce(p_protocol, h.protocol)
  ) then
    perform semo.check_protocol(h, p_protocol) from public.session_hosts h
      where h.office_id = p_office_id and h.state = 'online' and (wanted is null or h.host_id = wanted)
      order by h.host_id;
  end if;
  perform semo.refuse('capacity_exhausted',
    format('None of %s living hosts has room for this session (labels: %s). Wait, or start another host.', living,
      coalesce(nullif(array_to_string(p_labels, ', '), ''), 'none')),
    jsonb_build_object('livingHosts', living, 'labels', to_jsonb(p_labels)));
  return null;
end
$$;

-- The host of a session that is there; its row stays locked, so that the numbers of its commands keep their order. Of one that
-- has ended its host is asked as long as it is there: nobody else knows its output. Then what is known here is the answer.
create function semo.host_of_session(p_office_id text, p_session_id text) returns text
language plpgsql set search_path = '' as $$
declare
  session public.agent_sessions;
begin
  select * into session from public.agent_sessions s
    where s.office_id = p_office_id and s.session_id = p_session_id for no key update;
  if not found then
    perform semo.refuse('session_unknown', format('There is no session %s.', p_session_id),
      jsonb_build_object('sessionId', p_session_id));
  end if;
  if session.given_up_at is not null then
    perform semo.refuse('session_terminated',
      format('Session %s was given up, since its host %s was away for too long. Create another one.', p_session_id,
        session.host_id),
      jsonb_build_object('sessionId', p_session_id, 'givenUp', true, 'info', session.info));
  end if;
  if session.ended_at is not null and not exists (
    select from public.session_hosts h
    where h.office_id = p_office_id and h.host_id = session.host_id and h.state = 'online'
  ) then
    perform semo.refuse('session_terminated',
      format('Session %s has ended, and its host %s is not there any more. Create another one.', p_session_id,
        session.host_id),
      -- As its host last told it, which may be before its end.
      jsonb_build_object('sessionId', p_session_id,
        'info', session.info || '{"status": "terminated", "terminalId": null, "turnId": null}'));
  end if;
  return session.host_id;
end
$$;

-- Refuses to make a session where a host has one of that id that it has made by itself: nobody here knows what that is.
create function semo.check_placed(p_session public.agent_sessions) returns void
language plpgsql set search_path = '' as $$
begin
  if p_session.unplaced then
    perform semo.refuse('session_conflict',
      format('Host %s has made a session %s by itself. Use another id.', p_session.host_id, p_session.session_id),
      jsonb_build_object('sessionId', p_session.session_id));
  end if;
end
$$;

-- Finds a place for a session that is to be made. One that has a place keeps it; one whose making has failed gets a new one.
create function semo.place_session(
  p_office_id text, p_session_id text, p_spec jsonb, p_host_id text, p_labels text[], p_protocol integer
) returns text
language plpgsql set search_path = '' as $$
declare
  session public.agent_sessions;
  chosen text;
begin
  select * into session from public.agent_sessions s
    where s.office_id = p_office_id and s.session_id = p_session_id for no key update;
  if session.given_up_at is not null then
    perform semo.refuse('session_conflict',
      format('Session %s was given up, and may still be on host %s. Use another id.', p_session_id, session.host_id),
      jsonb_build_object('sessionId', p_session_id));
  end if;
  if found then
    perform semo.check_placed(session);
    if session.ended_at is null or session.info is not null then return session.host_id; end if;
  end if;
  chosen := semo.choose_host(p_office_id, p_spec, p_host_id, p_labels, p_protocol);
  insert into public.agent_sessions as s (office_id, session_id, host_id) values (p_office_id, p_session_id, chosen)
  on conflict (office_id, session_id) do update set
    -- Somebody else may have placed it while we waited for our turn to choose.
    host_id = case when s.ended_at is null then s.host_id else excluded.host_id end,
    status = case when s.ended_at is null then s.status else 'creating' end,
    host_lost_at = null, ended_at = null, updated_at = semo.now()
  returning s.* into session;
  perform semo.check_placed(session);
  return session.host_id;
end
$$;

-- What is said of a host that is lost, or has said goodbye. `noticed`: it is known, so nobody need ask again at once.
create function semo.lost_error(p_host public.session_hosts) returns jsonb
language sql immutable set search_path = '' as $$
  select semo.wire_error('host_lost', 'host_lost', case p_host.state
      when 'gone' then format('Host %s has said goodbye, and took what was asked of it along.', p_host.host_id)
      else format('Host %s has not held on to its lease. What was asked of it may have been done.', p_host.host_id)
    end, true)
    || jsonb_build_object('details', jsonb_build_object('hostId', p_host.host_id, 'state', p_host.state, 'noticed', true))
$$;

-- Refuses to ask a host that is known to be away. One whose lease ran out a moment ago may be back in the next.
create function semo.check_host_there(p_office_id text, p_host_id text, p_protocol integer) returns void
language plpgsql set search_path = '' as $$
declare
  host public.session_hosts;
begin
  select * into host from public.session_hosts h where h.office_id = p_office_id and h.host_id = p_host_id;
  if host.state is distinct from 'online' then
    perform semo.refuse('host_lost', format('Host %s is not there.', p_host_id), semo.lost_error(host) -> 'details');
  end if;
  perform semo.check_protocol(host, p_protocol);
end
$$;

-- Whether any host has ever been handed a command.
create function semo.has_been_out(p_command public.agent_commands) returns boolean
language sql immutable set search_path = '' as $$
  select p_command.lease_epoch is not null or p_command.requeued > 0
$$;

/*
 A command that is asked for once more. Whoever asks still waits for it, so its time is extended. Null: there is none of that
 id, or none any more: one that expired, or was taken back, without ever being handed out is forgotten, to be asked for anew.
*/
create function semo.asked_again(
  p_office_id text, p_command_id text, p_kind text, p_payload jsonb, p_expires_at timestamptz
) returns public.agent_commands
language plpgsql set search_path = '' as $$
declare
  command public.agent_commands;
begin
  select * into command from public.agent_commands c
    where c.office_id = p_office_id and c.command_id = p_command_id for no key update;
  if not found then return null; end if;
  if command.kind <> p_kind or coalesce(command.payload <> p_payload, false) then
    perform semo.refuse('invalid_argument',
      format('There is another command %s. Give this one an id of its own.', p_command_id),
      jsonb_build_object('commandId', p_command_id));
  end if;
  if command.status in ('pending', 'processing') then
    update public.agent_commands c set expires_at = greatest(c.expires_at, p_expires_at)
      where c.office_id = p_office_id and c.command_id = p_command_id returning * into command;
  elsif not semo.has_been_out(command)
    and (command.last_error ->> 'code' = 'host_lost' or (command.last_error #> '{details,takenBack}') = 'true') then
    delete from public.agent_commands c where c.office_id = p_office_id and c.command_id = p_command_id;
    return null;
  end if;
  return command;
end
$$;

/*
 Asks for something. The same id again is the same command: it is never carried out twice for it.
   p_payload      the command as the library sends it
   p_session_id   whose it is; needed for every kind that is for a session, except an answer to a request that is known here
   p_host_id      for a command that is for no session; for create_session the only host that will do
   p_labels       for create_session: what its host must have
   p_expires_ms   for how long somebody waits: after that it is not handed out any more. Asking again extends it.
   p_protocol     what the office speaks: hosts that speak another one are refused as not_supported. Null: it does not say.
 Refused: session_unknown, request_unknown, host_lost, capacity_exhausted, conversation_unknown, not_supported,
 invalid_argument; of a session that was given up: session_terminated, session_conflict; of one that has ended and whose host is
 not there: session_terminated.
*/
create function public.semo_enqueue_command(
  p_office_id text,
  p_command_id text,
  p_kind text,
  p_payload jsonb,
  p_session_id text default null,
  p_host_id text default null,
  p_labels text[] default '{}',
  p_expires_ms bigint default 3600000,
  p_protocol integer default null
) returns table (command_id text, session_id text, host_id text, seq bigint, status text)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  command public.agent_commands;
  target text := p_session_id;
  destination text := p_host_id;
  number bigint := 1;
  expiry timestamptz := semo.after_ms(p_expires_ms);
begin
  perform semo.check_office(p_office_id);
  if not semo.protocols() @> p_protocol then
    perform semo.refuse('not_supported',
      format('This office speaks protocol %s, and the database understands %s to %s. Upgrade %s.', p_protocol,
        lower(semo.protocols()), upper(semo.protocols()) - 1,
        case when p_protocol < lower(semo.protocols()) then 'the office' else 'the database by its migrations' end),
      jsonb_build_object('officeProtocol', p_protocol));
  end if;
  command := semo.asked_again(p_office_id, p_command_id, p_kind, p_payload, expiry);
  if command.command_id is null then
    if target is null and p_kind = 'answer_request' then
      select r.session_id into target from public.agent_requests r
        where r.office_id = p_office_id and r.request_id = p_payload ->> 'requestId';
      if not found then
        perform semo.refuse('request_unknown', format('There is no request %s.', p_payload ->> 'requestId'));
      end if;
    end if;
    if p_kind = 'create_session' then
      destination := semo.place_session(p_office_id, target, p_payload -> 'spec', p_host_id, p_labels, p_protocol);
    elsif target is not null then
      destination := semo.host_of_session(p_office_id, target);
    elsif destination is null then
      perform semo.refuse('invalid_argument', 'A command is for a session or for a host: name one of them.');
    end if;
    perform semo.check_host_there(p_office_id, destination, p_protocol);
    if target is not null then
      update public.agent_sessions s set last_seq = s.last_seq + 1
        where s.office_id = p_office_id and s.session_id = target returning s.last_seq into number;
    end if;
    insert into public.agent_commands (office_id, command_id, session_id, host_id, kind, lane, seq, payload, expires_at)
    values (p_office_id, p_command_id, target, destination, p_kind, semo.lane_of(p_kind), number, p_payload, expiry)
    on conflict do nothing
    returning * into command;
    -- Somebody asked with the same id at the same time, and was first.
    if not found then command := semo.asked_again(p_office_id, p_command_id, p_kind, p_payload, expiry); end if;
  elsif command.status in ('pending', 'processing') then
    -- It stays asked for its time: a host that is back by then finds it.
    perform semo.check_host_there(p_office_id, command.host_id, p_protocol);
  end if;
  return query select command.command_id, command.session_id, command.host_id, command.seq, command.status;
end
$$;

-- Takes a command back. False: a host has it already, or had it, and may carry it out.
create function public.semo_withdraw_command(p_office_id text, p_command_id text) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  open_command public.agent_commands;
begin
  perform semo.check_office(p_office_id);
  select * into open_command from public.agent_commands c
    where c.office_id = p_office_id and c.command_id = p_command_id and c.status = 'pending' for no key update;
  if not found or semo.has_been_out(open_command) then return false; end if;
  perform semo.give_up(open_command, 'failed',
    semo.wire_error('aborted', 'cancelled', 'The command was taken back before any host had it.', false)
      || jsonb_build_object('details', jsonb_build_object('takenBack', true)));
  return true;
end
$$;

-- What has become of a command; no row: there is none of that id.
create function public.semo_get_command(p_office_id text, p_command_id text)
returns table (
  command_id text, session_id text, host_id text, kind text, seq bigint, status text, attempts integer,
  success boolean, result jsonb, error jsonb, late boolean
)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform semo.check_office(p_office_id);
  return query
    select c.command_id, c.session_id, c.host_id, c.kind, c.seq, c.status, c.attempts, r.success, r.result, r.error, r.late
    from public.agent_commands c
    left join public.agent_command_results r using (office_id, command_id)
    where c.office_id = p_office_id and c.command_id = p_command_id;
end
$$;

-- Dead commands in the order in which they died, after that one; or, the newest first, before it.
create function public.semo_dead_commands(
  p_office_id text, p_limit integer default 100, p_after_at timestamptz default null, p_after_id text default '',
  p_newest_first boolean default false
) returns table (
  command_id text, session_id text, host_id text, kind text, attempts integer, ended_at timestamptz, last_error jsonb
)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform semo.check_office(p_office_id);
  if p_newest_first then
    return query
      select c.command_id, c.session_id, c.host_id, c.kind, c.attempts, c.ended_at, c.last_error
      from public.agent_commands c
      where c.office_id = p_office_id and c.status = 'dead'
        and (p_after_at is null or (c.ended_at, c.command_id) < (p_after_at, p_after_id))
      order by c.ended_at desc, c.command_id desc limit p_limit;
  else
    return query
      select c.command_id, c.session_id, c.host_id, c.kind, c.attempts, c.ended_at, c.last_error
      from public.agent_commands c
      where c.office_id = p_office_id and c.status = 'dead'
        and (p_after_at is null or (c.ended_at, c.command_id) > (p_after_at, p_after_id))
      order by c.ended_at, c.command_id limit p_limit;
  end if;
end
$$;

-- Refuses to hand out again what its host could not carry out.
create function semo.check_goes_again(p_command public.agent_commands) returns void
language plpgsql set search_path = '' as $$
declare
  home text := p_command.host_id;
begin
  if p_command.session_id is not null then
    perform semo.reopen_unmade(p_command);
    home := semo.host_of_session(p_command.office_id, p_command.session_id);
  end if;
  if home <> p_command.host_id then
    perform semo.refuse('session_conflict',
      format('Session %s has been made on host %s since. Ask for what you want anew.', p_command.session_id, home),
      jsonb_build_object('sessionId', p_command.session_id));
  end if;
  perform semo.check_host_there(p_command.office_id, home, null);
end
$$;

/*
 Hands out a dead command again, as somebody has decided who has looked and knows that this is right: so its host carries it out
 once more, whatever it remembers of the times before. It keeps its number: it comes before what was asked of its session later.
 Refused: invalid_argument for one that is not dead; host_lost where its host is not there; session_terminated for a session that
 was given up or has ended, session_conflict for one that is on another host by now.
*/
create function public.semo_requeue_command(
  p_office_id text, p_command_id text, p_expires_ms bigint default 3600000
) returns void
language plpgsql security definer set search_path = '' as $$
declare
  command public.agent_commands;
begin
  perform semo.check_office(p_office_id);
  select * into command from public.agent_commands c
    where c.office_id = p_office_id and c.command_id = p_command_id and c.status = 'dead' for no key update;
  if not found then
    perform semo.refuse('invalid_argument', format('Command %s is not dead, so it is not handed out again.', p_command_id),
      jsonb_build_object('commandId', p_command_id));
  end if;
  perform semo.check_goes_again(command);
  -- It is handed out for the first time once more: what became of it before has been looked at.
  update public.agent_commands c set
    status = 'pending', attempts = 0, requeued = c.requeued + 1, lease_epoch = null, lease_token = null,
    lease_expires_at = null, ended_at = null, expires_at = semo.after_ms(p_expires_ms)
    where c.office_id = p_office_id and c.command_id = p_command_id;
  delete from public.agent_command_results r where r.office_id = p_office_id and r.command_id = p_command_id;
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_enqueue_command, public.semo_withdraw_command, public.semo_get_command, public.semo_requeue_command,
  public.semo_dead_commands
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_enqueue_command, public.semo_withdraw_command, public.semo_get_command, public.semo_requeue_command,
  public.semo_dead_commands
  to authenticated, service_role;
