-- The hosts' side of commands: claiming, answering; and what becomes of those that nobody answers.

-- Ends a command in our own name. Its answer says what is known of it.
create function semo.give_up(p_command public.agent_commands, p_status text, p_error jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  update public.agent_commands c set
    status = p_status, last_error = p_error, ended_at = semo.now(),
    -- A dead one may be handed out again, so it keeps what it asks for.
    payload = case when p_status = 'dead' then c.payload end
    where c.office_id = p_command.office_id and c.command_id = p_command.command_id;
  insert into public.agent_command_results (office_id, command_id, session_id, success, error)
  values (p_command.office_id, p_command.command_id, p_command.session_id, false, p_error)
  on conflict (office_id, command_id) do update set success = false, result = null, error = excluded.error, late = false,
    host_id = null, created_at = excluded.created_at;
  perform semo.close_unmade(p_command);
end
$$;

-- A session whose making has failed takes up no place. Its id may be used again.
create function semo.close_unmade(p_command public.agent_commands) returns void
language plpgsql set search_path = '' as $$
begin
  if p_command.kind <> 'create_session' then return; end if;
  update public.agent_sessions s set status = 'error', ended_at = semo.now(), version = s.version + 1, updated_at = semo.now()
    where s.office_id = p_command.office_id and s.session_id = p_command.session_id
      and s.info is null and s.ended_at is null;
end
$$;

-- A session that is to be made after all takes up its place again.
create function semo.reopen_unmade(p_command public.agent_commands) returns void
language plpgsql set search_path = '' as $$
begin
  if p_command.kind <> 'create_session' then return; end if;
  update public.agent_sessions s set
    status = 'creating', ended_at = null, host_lost_at = null, version = s.version + 1, updated_at = semo.now()
    where s.office_id = p_command.office_id and s.session_id = p_command.session_id and s.host_id = p_command.host_id
      and s.info is null and s.ended_at is not null and s.given_up_at is null;
end
$$;

-- What is said of a command that was handed out and never answered. Nobody knows what came of it; for what must not be done
-- twice, that is the whole answer.
create function semo.unanswered(p_command public.agent_commands) returns jsonb
language sql immutable set search_path = '' as $$
  select case
  -- Nobody has had it since it was requeued: what was said of it before is still what is known.
  when p_command.lease_epoch is null and p_command.last_error is not null then p_command.last_error
  when p_command.kind in ('send_prompt', 'send_text', 'send_keystrokes') then
    semo.wire_error('delivery_unknown', 'unknown', format(
      'The command was handed out %s times and never answered: nobody knows whether it was carried out. Look before you ask again.',
      greatest(p_command.attempts, 1)), false)
  else
    semo.wire_error('host_lost', 'host_lost', format(
      'The command was handed out %s times and never answered. It may have been carried out.',
      greatest(p_command.attempts, 1)), true)
  end
$$;

/*
 Ends open commands that have come to the end of their way:
   - expired without ever having been handed out: failed as host_lost, nothing of it was done;
   - handed out, the lease over, and no attempt or no time left: dead; and so again, where it was requeued in vain.
*/
create function semo.bury_commands(p_office_id text, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  moment constant timestamptz := semo.now();
  command public.agent_commands;
  buried integer := 0;
begin
  -- There is nothing nearly always, and that is seen by the first entry of two indexes.
  if coalesce((
    select c.expires_at > moment from public.agent_commands c
    where c.office_id = p_office_id and c.status = 'pending' order by c.expires_at limit 1
  ), true) and coalesce((
    select c.lease_expires_at > moment from public.agent_commands c
    where c.office_id = p_office_id and c.status = 'processing' order by c.lease_expires_at limit 1
  ), true) then
    return 0;
  end if;
  for command in
    select * from public.agent_commands c
    where c.office_id = p_office_id
      and (
        (c.status = 'pending' and c.expires_at <= moment)
        or (c.status = 'processing' and c.lease_expires_at <= moment
          and (c.attempts >= c.max_attempts or c.expires_at <= moment))
      )
    order by c.enqueued_at
    limit p_limit
    for no key update skip locked
  loop
    if semo.has_been_out(command) then
      perform semo.give_up(command, 'dead', semo.unanswered(command));
    else
      perform semo.give_up(command, 'failed', semo.wire_error('host_lost', 'host_lost',
        'No host took the command in time. Nothing of it was done.', true));
    end if;
    buried := buried + 1;
  end loop;
  return buried;
end
$$;

-- Whether a command was handed out to a host that never saw it, since the answer of that claim was lost on its way.
create function semo.was_missed(p_command public.agent_commands, p_epoch bigint, p_held text[]) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    p_command.status = 'processing' and p_command.lease_epoch = p_epoch and p_command.lease_expires_at > semo.now()
      and p_command.command_id <> all (p_held), false);
end
$$;

-- Whether a command can be handed out now; asked of a row that is locked, since another claim may have been faster.
create function semo.may_be_claimed(p_command public.agent_commands) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  moment constant timestamptz := semo.now();
begin
  return p_command.attempts < p_command.max_attempts and p_command.expires_at > moment
    and (p_command.status = 'pending' or (p_command.status = 'processing' and p_command.lease_expires_at <= moment));
end
$$;

-- How far the turn of a prompt has come, as far as it is kept here; null: nothing is, or it is no prompt.
create function semo.delivery_of(p_command public.agent_commands) returns text
language plpgsql stable set search_path = '' as $$
begin
  if p_command.kind <> 'send_prompt' then return null; end if;
  return (
    select coalesce(t.delivery, case when t.state = 'ended' then 'ended' when t.state is not null then 'accepted' end)
    from public.agent_turns t
    where t.office_id = p_command.office_id and t.session_id = p_command.session_id
      and t.turn_id = p_command.payload ->> 'turnId'
  );
end
$$;

/*
 Hands out to a host the oldest open command of each of its lanes, unless that is at work already: so each lane keeps its
 order, and no lane waits for another. It is the host's until the lease is over; hold on to it by heartbeats.

   requeued         how often somebody has had it handed out again after it had died: each time it is to be carried out once
                    more, whatever is remembered of the times before.
   prior_epoch      the host's epoch when it was handed out before, since then; null: never. Under one of its own epochs this
                    process knows itself what it did with it. Under another's it must find out before it does anything that
                    must not be done twice: a prompt by its turn's record, of keys and text it can only say `delivery_unknown`.
   p_held           what the host has by now, where an answer of this function may have been lost on its way: what it was
                    handed under this epoch and does not name is handed out again at once. Null: nothing was lost.
   turn_delivery    for send_prompt: how far that turn has come, as far as it is kept here; null: nothing is.
*/
create function public.semo_claim_commands(
  p_office_id text,
  p_host_id text,
  p_epoch bigint,
  p_limit integer default 16,
  p_lease_ms bigint default 15000,
  p_held text[] default null
) returns table (
  command_id text, session_id text, kind text, lane text, seq bigint, payload jsonb, attempts integer,
  requeued integer, prior_epoch bigint, turn_delivery text, lease_token uuid, lease_expires_at timestamptz
)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  moment constant timestamptz := semo.now();
  lease_end constant timestamptz := semo.after_ms(p_lease_ms);
  head text;
  command public.agent_commands;
  prior bigint;
  taken integer := 0;
  missed boolean;
begin
  perform semo.hold_fence(p_office_id, p_host_id, p_epoch);
  perform semo.bury_commands(p_office_id, 100);
  for head in
    with recursive heads as (
      -- Jumps from lane to lane along the index instead of walking through all that is open.
      (
        select c.command_id, c.lane_key, c.lane, c.status, c.lease_expires_at, c.enqueued_at, c.seq
        from public.agent_commands c
        where c.office_id = p_office_id and c.host_id = p_host_id and c.status in ('pending', 'processing')
        order by c.lane_key, c.lane, c.seq limit 1
      )
      union all
      select next.*
      from heads h
      cross join lateral (
        select c.command_id, c.lane_key, c.lane, c.status, c.lease_expires_at, c.enqueued_at, c.seq
        from public.agent_commands c
        where c.office_id = p_office_id and c.host_id = p_host_id and c.status in ('pending', 'processing')
          and (c.lane_key, c.lane) > (h.lane_key, h.lane)
        order by c.lane_key, c.lane, c.seq limit 1
      ) as next
    )
    select h.command_id from heads h
    where h.status = 'pending' or h.lease_expires_at <= moment or p_held is not null
    order by h.enqueued_at, h.seq
  loop
    exit when taken >= p_limit;
    -- One after the other by the key: plans are kept from when the table was empty, and a join, or a list of keys before
    -- PostgreSQL 17, that was planned then would read the whole office for each claim.
    if p_held is null then
      select * into command from public.agent_commands c where c.office_id = p_office_id and c.command_id = head
        for no key update skip locked;
    else
      -- What is missed is asked for once: whoever is at the row, an office that asks again say, or the claim whose answer
      -- was lost and that is not over yet, is waited for.
      select * into command from public.agent_commands c where c.office_id = p_office_id and c.command_id = head
        for no key update;
    end if;
    continue when not found;
    missed := semo.was_missed(command, p_epoch, p_held);
    continue when not missed and not semo.may_be_claimed(command);
    prior := command.lease_epoch;
    update public.agent_commands c set
      -- What nobody has seen was no attempt: a line that loses one answer after the other must not use them up.
      status = 'processing', attempts = c.attempts + case when missed then 0 else 1 end, lease_epoch = p_epoch, lease_token = gen_random_uuid(),
      lease_expires_at = lease_end
      where c.office_id = p_office_id and c.command_id = head
      returning * into command;
    taken := taken + 1;
    return query select command.command_id, command.session_id, command.kind, command.lane, command.seq, command.payload,
      command.attempts, command.requeued, prior, semo.delivery_of(command), command.lease_token, command.lease_expires_at;
  end loop;
end
$$;

-- A session that has been made is there, also before its host tells of it: what the host answered is what is known of it.
create function semo.note_made(p_command public.agent_commands, p_epoch bigint, p_info jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  if p_command.kind <> 'create_session' then return; end if;
  update public.agent_sessions s set
    info = p_info, status = coalesce(p_info ->> 'status', s.status), host_epoch = p_epoch, host_lost_at = null,
    created_ms = (p_info ->> 'createdAt')::double precision, version = s.version + 1, updated_at = semo.now()
    where s.office_id = p_command.office_id and s.session_id = p_command.session_id
      and s.info is null;
end
$$;

-- Of what a host answers: lists are of its own sessions and what they ask, and hold nothing of another host's.
create function semo.taken_answer(p_command public.agent_commands, p_result jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if p_command.kind not in ('list_sessions', 'list_requests') or jsonb_typeof(p_result) is distinct from 'array' then
    return p_result;
  end if;
  return (
    select coalesce(jsonb_agg(told.one order by told.place), '[]')
    from jsonb_array_elements(p_result) with ordinality as told (one, place)
    where not semo.is_anothers(p_command.office_id, p_command.host_id, told.one)
  );
end
$$;

/*
 Writes down an answer, under the lease. Answering twice under one lease is answering once. A command that was given up
 meanwhile, and that nobody else has been handed, takes the late answer: the truth, where there was none.
*/
create function semo.answer_command(
  p_office_id text, p_host_id text, p_command_id text, p_lease_token uuid, p_success boolean, p_result jsonb, p_error jsonb
) returns void
language plpgsql set search_path = '' as $$
declare
  command public.agent_commands;
  was_given_up boolean;
begin
  select * into command from public.agent_commands c
    where c.office_id = p_office_id and c.command_id = p_command_id and c.host_id = p_host_id for no key update;
  if command.lease_token is distinct from p_lease_token or command.lease_token is null then
    perform semo.refuse('lease_lost',
      format('Command %s is not held under that lease by now. Its answer is not taken.', p_command_id),
      jsonb_build_object('commandId', p_command_id, 'status', command.status));
  end if;
  select r.host_id is null into was_given_up from public.agent_command_results r
    where r.office_id = p_office_id and r.command_id = p_command_id;
  if found and not was_given_up then return; end if;
  was_given_up := found;

  update public.agent_commands c set
    status = case when p_success then 'completed' else 'failed' end, payload = null, last_error = p_error,
    ended_at = semo.now()
    where c.office_id = p_office_id and c.command_id = p_command_id;
  insert into public.agent_command_results
    (office_id, command_id, session_id, host_id, success, result, error, late)
  values (
    p_office_id, p_command_id, command.session_id, p_host_id, p_success, semo.taken_answer(command, p_result), p_error,
    was_given_up
  )
  on conflict (office_id, command_id) do update set
    host_id = excluded.host_id, success = excluded.success, result = excluded.result, error = excluded.error,
    late = excluded.late, created_at = excluded.created_at;
  if p_success then
    perform semo.note_made(command, command.lease_epoch, p_result);
  else
    perform semo.close_unmade(command);
  end if;
end
$$;

-- Whether something waits for a host, so that it need not claim to find out.
create function semo.has_waiting(p_office_id text, p_host_id text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from public.agent_commands c
    where c.office_id = p_office_id and c.host_id = p_host_id and c.status in ('pending', 'processing')
      and c.status = 'pending'
  );
end
$$;

-- What a command came to. Gives whether more waits for the host. Refused as `lease_lost` once it is somebody else's.
create function public.semo_complete_command(
  p_office_id text, p_host_id text, p_epoch bigint, p_command_id text, p_lease_token uuid, p_result jsonb
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  -- `null` is an answer too.
  perform semo.answer_command(
    p_office_id, p_host_id, p_command_id, p_lease_token, true, coalesce(p_result, 'null'::jsonb), null
  );
  return semo.has_waiting(p_office_id, p_host_id);
end
$$;

-- Why a command failed, and as above.
create function public.semo_fail_command(
  p_office_id text, p_host_id text, p_epoch bigint, p_command_id text, p_lease_token uuid, p_error jsonb
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform semo.answer_command(p_office_id, p_host_id, p_command_id, p_lease_token, false, null, p_error);
  return semo.has_waiting(p_office_id, p_host_id);
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_claim_commands, public.semo_complete_command, public.semo_fail_command
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_claim_commands, public.semo_complete_command, public.semo_fail_command
  to authenticated, service_role;
