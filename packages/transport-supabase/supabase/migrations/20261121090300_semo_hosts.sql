-- Hosts: they register, hold on to their lease, and are lost when they stop doing so.

-- Which protocols the functions of these migrations understand. A migration that changes what they take or give replaces it.
create function semo.protocols() returns int4range
language sql immutable set search_path = '' as $$
  select int4range(1, 1, '[]')
$$;

-- Lets a host write only under its present epoch. A host that was given up has none until it registers again; one whose lease
-- has run out unnoticed goes on.
create function semo.check_fence(p_office_id text, p_host_id text, p_epoch bigint) returns void
language plpgsql stable set search_path = '' as $$
declare
  host public.session_hosts;
begin
  perform semo.check_host(p_office_id, p_host_id);
  select * into host from public.session_hosts h where h.office_id = p_office_id and h.host_id = p_host_id;
  if host.epoch = p_epoch and host.state = 'online' then return; end if;
  perform semo.refuse('lease_lost',
    format('Host %s does not hold epoch %s by now. Register again, and trust nothing that was handed out before.',
      p_host_id, p_epoch),
    jsonb_build_object('hostId', p_host_id, 'epoch', p_epoch, 'latestEpoch', host.epoch, 'state', host.state,
      'instance', host.instance));
end
$$;

-- The same, and until the end of the call nobody can end that epoch: what is handed out under it is handed out before.
create function semo.hold_fence(p_office_id text, p_host_id text, p_epoch bigint) returns void
language plpgsql set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform from public.session_hosts h
    where h.office_id = p_office_id and h.host_id = p_host_id and h.epoch = p_epoch and h.state = 'online' for share;
  -- It ended while we waited.
  if not found then perform semo.check_fence(p_office_id, p_host_id, p_epoch); end if;
end
$$;

-- Cuts a host off: its sessions are told to be lost, and what it was doing is nobody's. The commands stay its own, for no
-- other host has the session: one that comes back in time finds them.
create function semo.lose_host(p_office_id text, p_host_id text, p_state text) returns void
language plpgsql set search_path = '' as $$
declare
  lost text[];
begin
  -- Whoever tells something under its epoch holds this row: from here on nobody does.
  update public.session_hosts h set state = p_state, lease_expires_at = least(h.lease_expires_at, semo.now())
    where h.office_id = p_office_id and h.host_id = p_host_id;
  -- Commands before sessions, as whoever answers one locks them: nobody waits in a circle.
  update public.agent_commands c set lease_expires_at = least(c.lease_expires_at, semo.now())
    where c.office_id = p_office_id and c.host_id = p_host_id and c.status = 'processing';
  with cut_off as (
    update public.agent_sessions s set host_lost_at = semo.now(), version = s.version + 1, updated_at = semo.now()
    where s.office_id = p_office_id and s.host_id = p_host_id and s.ended_at is null and s.host_lost_at is null
    returning s.session_id
  )
  select array_agg(c.session_id) into lost from cut_off c;
  perform semo.tell_statuses(p_office_id, p_host_id, lost, 'error');
end
$$;

-- Whether a session is still to be made: such a one cannot be missing.
create function semo.is_to_be_made(p_session public.agent_sessions) returns boolean
language sql stable set search_path = '' as $$
  select exists (
    select from public.agent_commands c
    where c.office_id = p_session.office_id and c.host_id = p_session.host_id and c.lane_key = p_session.session_id
      and c.lane = 'turn' and c.status in ('pending', 'processing') and c.kind = 'create_session'
  )
$$;

/*
 Begins a host's life, or its next one: always under a new epoch, which fences off whoever used this host id before.
   p_sessions   the sessions that live on it now; those of its open ones that are missing are lost. Null: it does not say.
   p_draining   by its own word it gets no new sessions, as when it was draining before it was lost from sight. Of what its office
                has said this changes nothing.
   p_instance   a name that this process has made for itself. Refusals of its earlier self tell whose the host is now.
   left_behind  sessions that were given up while it was away, and that it has to end if it still has them.
 Refused as `not_supported` when it speaks a protocol these functions do not understand.
*/
create function public.semo_register_host(
  p_office_id text,
  p_host_id text,
  p_protocol integer,
  p_capacity integer,
  p_labels text[] default '{}',
  p_agents jsonb default '{}',
  p_info jsonb default '{}',
  p_lease_ms bigint default 15000,
  p_sessions text[] default null,
  p_draining boolean default false,
  p_instance text default null
) returns table (epoch bigint, lease_expires_at timestamptz, left_behind text[])
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  host public.session_hosts;
  gone text[] := '{}';
  one text;
begin
  perform semo.check_host(p_office_id, p_host_id);
  if not semo.protocols() @> p_protocol then
    perform semo.refuse('not_supported',
      format('This host speaks protocol %s, and the database understands %s to %s. Upgrade %s.', p_protocol,
        lower(semo.protocols()), upper(semo.protocols()) - 1,
        case when p_protocol < lower(semo.protocols()) then 'the host' else 'the database by its migrations' end),
      jsonb_build_object('protocol', p_protocol));
  end if;
  -- What is told of its earlier life is told under that epoch, as its last.
  perform from public.session_hosts h where h.office_id = p_office_id and h.host_id = p_host_id for no key update;
  if p_sessions is not null then
    select coalesce(array_agg(s.session_id), '{}') into gone from public.agent_sessions s
      where s.office_id = p_office_id and s.host_id = p_host_id and s.ended_at is null and s.host_lost_at is null
        and s.session_id <> all (p_sessions) and not semo.is_to_be_made(s);
    perform semo.tell_statuses(p_office_id, p_host_id, gone, 'error');
  end if;
  insert into public.session_hosts as h
    (office_id, host_id, capacity, labels, agents, protocol, instance, info, draining_by_host, lease_expires_at)
  values (
    p_office_id, p_host_id, p_capacity, p_labels, p_agents, p_protocol, p_instance, p_info, p_draining, semo.after_ms(p_lease_ms)
  )
  on conflict (office_id, host_id) do update set
    epoch = excluded.epoch, state = 'online', draining_by_host = excluded.draining_by_host, capacity = excluded.capacity,
    labels = excluded.labels, agents = excluded.agents, protocol = excluded.protocol, instance = excluded.instance, info = excluded.info, registered_at = semo.now(),
    heartbeat_at = semo.now(), lease_expires_at = excluded.lease_expires_at
  returning * into host;

  -- What its earlier self was doing can be handed out again at once.
  update public.agent_commands c set lease_expires_at = semo.now()
    where c.office_id = p_office_id and c.host_id = p_host_id and c.status = 'processing' and c.lease_expires_at > semo.now();
  -- One after the other by the key: a list of keys may be planned as a look at the whole office before PostgreSQL 17.
  foreach one in array gone loop
    update public.agent_sessions s set host_lost_at = semo.now(), version = s.version + 1, updated_at = semo.now()
      where s.office_id = p_office_id and s.session_id = one;
  end loop;
  update public.agent_sessions s set host_lost_at = null, version = s.version + 1, updated_at = semo.now()
    where s.office_id = p_office_id and s.host_id = p_host_id and s.ended_at is null and s.host_lost_at is not null
      and (s.session_id = any (p_sessions) or semo.is_to_be_made(s));
  return query select host.epoch, host.lease_expires_at, array(
    select s.session_id from public.agent_sessions s
    where s.office_id = p_office_id and s.host_id = p_host_id and s.left_behind
  );
end
$$;

/*
 Holds on to the lease of a host and of the commands it names. A command it has not named is one whose handing out it never
 saw: that lease runs out, and it is handed out again.
   lost_commands   those it has named that are not its own any more: their answers will be refused.
*/
create function public.semo_heartbeat_host(
  p_office_id text,
  p_host_id text,
  p_epoch bigint,
  p_lease_ms bigint default 15000,
  p_commands text[] default '{}'
) returns table (draining boolean, lease_expires_at timestamptz, lost_commands text[])
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
declare
  host public.session_hosts;
  held text[];
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  update public.session_hosts h set heartbeat_at = semo.now(), lease_expires_at = semo.after_ms(p_lease_ms)
    where h.office_id = p_office_id and h.host_id = p_host_id and h.epoch = p_epoch and h.state = 'online'
    returning * into host;
  -- It was given up between the look and the write.
  if not found then perform semo.check_fence(p_office_id, p_host_id, p_epoch); end if;
  with kept as (
    update public.agent_commands c set lease_expires_at = semo.after_ms(p_lease_ms)
    where c.office_id = p_office_id and c.command_id = any (p_commands) and c.host_id = p_host_id
      and c.status = 'processing' and c.lease_epoch = p_epoch
    returning c.command_id
  )
  select coalesce(array_agg(k.command_id), '{}') into held from kept k;
  return query select host.draining, host.lease_expires_at,
    array(select one from unnest(p_commands) as one where one <> all (held));
end
$$;

/*
 Whether a host is given new sessions. Those it has go on either way.
   p_by_host   the host says so of itself, and takes back no more than that: whoever calls with a host's token does. What the
               office says holds until the office takes it back, also for every later process of that host.
*/
create function public.semo_drain_host(
  p_office_id text, p_host_id text, p_draining boolean default true, p_by_host boolean default false
) returns void
language plpgsql security definer set search_path = '' as $$
declare
  by_host constant boolean := p_by_host or coalesce(semo.claims() ->> 'role' = 'host', false);
begin
  if by_host then
    perform semo.check_host(p_office_id, p_host_id);
  else
    perform semo.check_office(p_office_id);
  end if;
  update public.session_hosts h set
    draining_by_host = case when by_host then p_draining else h.draining_by_host end,
    draining_by_office = case when by_host then h.draining_by_office else p_draining end
    where h.office_id = p_office_id and h.host_id = p_host_id;
  if not found then
    perform semo.refuse('host_lost', format('There is no host %s.', p_host_id), jsonb_build_object('hostId', p_host_id));
  end if;
end
$$;

-- A host says goodbye: it has ended its sessions, or leaves them behind.
create function public.semo_sign_off_host(p_office_id text, p_host_id text, p_epoch bigint) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform semo.lose_host(p_office_id, p_host_id, 'gone');
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_register_host, public.semo_heartbeat_host, public.semo_drain_host, public.semo_sign_off_host
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_register_host, public.semo_heartbeat_host, public.semo_drain_host, public.semo_sign_off_host
  to authenticated, service_role;
