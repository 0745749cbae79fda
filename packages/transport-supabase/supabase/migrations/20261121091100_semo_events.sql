-- What hosts tell as it happens, in the order they tell it. A broadcast says that there is more and nothing of what it is, so one
-- that is lost costs time and no event. What must outlive this journal (sessions, turns, requests) is written as rows with it.

-- One row for each batch. Kept for minutes, long enough for an office that was away for a moment, then forgotten by what its host
-- tells next or by the sweep.
create table semo.event_batches (
  office_id text collate "C" not null,
  host_id text collate "C" not null,
  epoch bigint not null,
  -- Counts the batches of one epoch from 1 on, without a gap.
  seq bigint not null,
  -- WireEvents.
  events jsonb not null,
  -- How much of an answer they take up.
  bytes integer not null generated always as (octet_length(events::text)) stored,
  -- How many bytes of output were left out before these, since there was too much of it.
  dropped_bytes bigint not null default 0,
  told_at timestamptz not null default semo.now(),
  primary key (office_id, host_id, epoch, seq),
  foreign key (office_id, host_id) references public.session_hosts on delete cascade
);
create index event_batches_by_age on semo.event_batches (office_id, host_id, told_at);
alter table semo.event_batches enable row level security;
revoke all on semo.event_batches from public, anon, authenticated, service_role;

create function semo.announce_events() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'events',
    jsonb_build_object('id', new.host_id, 'session_id', null, 'seq', new.seq));
  return null;
end
$$;
create trigger semo_announce after insert on semo.event_batches
  for each row execute function semo.announce_events();

-- Tells something of a host in its own place, as the last of its present epoch. Whoever calls holds the host's row, and ends
-- that epoch or has ended it: nobody else tells anything under it any more.
create function semo.tell_in_its_place(p_office_id text, p_host_id text, p_events jsonb) returns void
language sql set search_path = '' as $$
  insert into semo.event_batches (office_id, host_id, epoch, seq, events)
  select h.office_id, h.host_id, h.epoch, 1 + coalesce((
      select max(b.seq) from semo.event_batches b
      where b.office_id = h.office_id and b.host_id = h.host_id and b.epoch = h.epoch
    ), 0), p_events
  from public.session_hosts h
  where h.office_id = p_office_id and h.host_id = p_host_id and jsonb_array_length(p_events) > 0
$$;

create function semo.tell_statuses(p_office_id text, p_host_id text, p_sessions text[], p_status text) returns void
language sql set search_path = '' as $$
  select semo.tell_in_its_place(p_office_id, p_host_id, coalesce(jsonb_agg(jsonb_build_object(
    'name', 'status', 'sessionId', one, 'status', p_status, 'at', semo.to_ms(semo.now())
  )), '[]')) from unnest(p_sessions) as one
$$;

-- A session whose host says no more of it than its status.
create function semo.note_status(p_office_id text, p_host_id text, p_epoch bigint, p_event jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  update public.agent_sessions s set
    status = p_event ->> 'status', host_epoch = p_epoch, host_lost_at = null, version = s.version + 1, updated_at = semo.now(),
    ended_at = case when p_event ->> 'status' = 'terminated' then semo.now() end
    where s.office_id = p_office_id and s.session_id = p_event ->> 'sessionId' and s.host_id = p_host_id
      and coalesce(s.host_epoch, 0) <= p_epoch and s.ended_ms is null and s.status <> 'terminated';
end
$$;

-- Writes as a row what an event says for longer than a moment. One that is refused hides no other.
create function semo.note_event(p_office_id text, p_host_id text, p_epoch bigint, p_event jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  case p_event ->> 'name'
    when 'status' then
      perform semo.note_status(p_office_id, p_host_id, p_epoch, p_event);
    when 'turn' then
      if p_event ->> 'change' in ('started', 'waiting', 'resumed', 'ended') then
        perform public.semo_report_turn(p_office_id, p_host_id, p_epoch, p_event -> 'turn');
      end if;
    when 'request' then
      perform public.semo_put_request(p_office_id, p_host_id, p_epoch,
        jsonb_build_object('request', p_event -> 'request', 'state', jsonb_build_object('kind', 'open')));
    when 'request_settled' then
      perform public.semo_settle_request(p_office_id, p_host_id, p_epoch, p_event #>> '{request,requestId}',
        p_event -> 'state');
    when 'info' then
      perform public.semo_report_session(p_office_id, p_host_id, p_epoch, p_event -> 'info');
    else null;
  end case;
exception when raise_exception or integrity_constraint_violation then
  raise warning 'an event % of host % was not written as a row: %', p_event ->> 'name', p_host_id, sqlerrm;
end
$$;

-- The sessions that an event names.
create function semo.sessions_of(p_event jsonb) returns text[]
language sql immutable set search_path = '' as $$
  select array_remove(array[
    p_event ->> 'sessionId', p_event #>> '{turn,sessionId}', p_event #>> '{request,sessionId}'
  ], null)
$$;

-- Whether something that a host gives names a session, or a request, of another host.
create function semo.is_anothers(p_office_id text, p_host_id text, p_told jsonb) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  one text;
  owner text;
begin
  foreach one in array semo.sessions_of(p_told) loop
    select s.host_id into owner from public.agent_sessions s where s.office_id = p_office_id and s.session_id = one;
    if owner <> p_host_id then return true; end if;
  end loop;
  return semo.is_others_request(
    p_office_id, p_host_id, coalesce(p_told #>> '{request,requestId}', p_told ->> 'requestId')
  );
end
$$;

-- Of what a host tells, what is taken: nothing of sessions and requests that are another host's, and nothing of its own that were
-- given up, but that those are gone by now. Offices are told the rest as it stands.
create function semo.taken_events(p_office_id text, p_host_id text, p_events jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  has_requests boolean := p_events @? '$[*].request';
  refused text[] := '{}';
  one text;
  lasts boolean;
  session public.agent_sessions;
begin
  for one, lasts in
    select id, bool_or(event ->> 'name' in ('status', 'turn', 'request'))
    from jsonb_array_elements(p_events) as event, unnest(semo.sessions_of(event)) as id
    group by id
  loop
    select * into session from public.agent_sessions s where s.office_id = p_office_id and s.session_id = one;
    if not found then
      -- What becomes no row makes none either: a session that is forgotten by now may have had its last word late.
      continue when not lasts;
      session := semo.told_session(p_office_id, p_host_id, one);
    end if;
    continue when session.host_id = p_host_id and session.given_up_at is null;
    refused := refused || one;
    if session.host_id = p_host_id and session.left_behind and p_events @> jsonb_build_array(
      jsonb_build_object('name', 'status', 'sessionId', one, 'status', 'terminated')
    ) then
      update public.agent_sessions s set left_behind = false
        where s.office_id = p_office_id and s.session_id = one;
    end if;
  end loop;
  if refused = '{}' and not has_requests then return p_events; end if;
  return (
    select coalesce(jsonb_agg(event order by place), '[]')
    from jsonb_array_elements(p_events) with ordinality as told (event, place)
    where not semo.sessions_of(event) && refused
      and not (event ? 'request' and semo.is_others_request(p_office_id, p_host_id, event #>> '{request,requestId}'))
  );
end
$$;

-- Forgets the oldest batches of a host that were told longer ago than that, so many at a time. Gives how many.
create function semo.forget_told(p_office_id text, p_host_id text, p_keep_ms bigint, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  forgotten integer;
begin
  delete from semo.event_batches b
    where b.office_id = p_office_id and b.host_id = p_host_id and b.told_at <= (
      select max(old.told_at) from (
        select o.told_at from semo.event_batches o
        where o.office_id = p_office_id and o.host_id = p_host_id and o.told_at < semo.after_ms(-p_keep_ms)
        order by o.told_at limit p_limit
      ) as old
    );
  get diagnostics forgotten = row_count;
  return forgotten;
end
$$;

-- The same of all hosts of an office: one that tells nothing more forgets nothing.
create function semo.forget_told_by_all(p_office_id text, p_keep_ms bigint, p_limit integer) returns void
language plpgsql set search_path = '' as $$
declare
  room integer := p_limit;
  host text;
begin
  for host in select h.host_id from public.session_hosts h where h.office_id = p_office_id loop
    room := room - semo.forget_told(p_office_id, host, p_keep_ms, room);
    exit when room <= 0;
  end loop;
end
$$;

/*
 Tells what has happened on a host: a batch of WireEvents, in order, and the SessionInfos that go with them. The same batch again
 is told once. What is older than p_keep_ms is forgotten meanwhile, a little with every batch.
*/
create function public.semo_publish_events(
  p_office_id text, p_host_id text, p_epoch bigint, p_seq bigint, p_events jsonb, p_infos jsonb default '[]',
  p_dropped_bytes bigint default 0, p_keep_ms bigint default 600000
) returns void
language plpgsql security definer set search_path = '' as $$
declare
  told jsonb;
  one jsonb;
begin
  -- Held: whoever ends this epoch tells its last batch, and no other may come after that or take its number.
  perform semo.hold_fence(p_office_id, p_host_id, p_epoch);
  told := semo.taken_events(p_office_id, p_host_id, p_events);
  insert into semo.event_batches (office_id, host_id, epoch, seq, events, dropped_bytes)
  values (p_office_id, p_host_id, p_epoch, p_seq, told, p_dropped_bytes)
  on conflict do nothing;
  if not found then return; end if;
  -- First what is known of a session: once it is told to be terminated, nothing more is taken of it.
  for one in select * from jsonb_array_elements(p_infos) loop
    perform semo.note_event(p_office_id, p_host_id, p_epoch, jsonb_build_object('name', 'info', 'info', one));
  end loop;
  for one in select * from jsonb_array_elements(told) loop
    perform semo.note_event(p_office_id, p_host_id, p_epoch, one);
  end loop;
  perform semo.forget_told(p_office_id, p_host_id, p_keep_ms, 10);
end
$$;

-- Where each host's telling stands now: whoever begins to listen begins there.
create function public.semo_event_heads(p_office_id text) returns table (host_id text, epoch bigint, seq bigint)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform semo.check_office(p_office_id);
  return query
    select h.host_id, last.epoch, last.seq
    from public.session_hosts h
    cross join lateral (
      select b.epoch, b.seq from semo.event_batches b
      where b.office_id = h.office_id and b.host_id = h.host_id
      order by b.epoch desc, b.seq desc limit 1
    ) as last
    where h.office_id = p_office_id;
end
$$;

/*
 What came after, in the order of each host.
   p_after       { hostId: [epoch, seq] }; of a host that is not in it, everything that is kept
   p_limit       so many batches of a host at most
   p_max_bytes   so much of all hosts together, so that an answer comes through a slow line, too. Each host that has told
                 something gets one batch in any case, then each a second one, and so on.
   more          there is more than this answer holds
*/
create function public.semo_read_events(
  p_office_id text, p_after jsonb default '{}', p_limit integer default 100, p_max_bytes bigint default 1000000
) returns table (host_id text, epoch bigint, seq bigint, events jsonb, dropped_bytes bigint, more boolean)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform semo.check_office(p_office_id);
  return query
    with untold as (
      select b.*, row_number() over (partition by b.host_id order by b.epoch, b.seq) as place
      from public.session_hosts h
      cross join lateral (
        select * from semo.event_batches batch
        where batch.office_id = h.office_id and batch.host_id = h.host_id
          and (batch.epoch, batch.seq) > (
            coalesce((p_after #>> array[h.host_id, '0'])::bigint, 0), coalesce((p_after #>> array[h.host_id, '1'])::bigint, 0)
          )
        order by batch.epoch, batch.seq limit p_limit + 1
      ) as b
      where h.office_id = p_office_id
    ),
    fitting as (
      select u.*, u.place = 1
        or (u.place <= p_limit and sum(u.bytes) over (order by u.place, u.host_id) <= p_max_bytes) as fits
      from untold u
    ),
    answer as (select f.*, bool_or(not f.fits) over () as more from fitting f)
    select a.host_id, a.epoch, a.seq, a.events, a.dropped_bytes, a.more from answer a
    where a.fits
    order by a.host_id, a.epoch, a.seq;
end
$$;

-- What has become of several commands: of those that are over, and of those whose host is lost. What becomes of the latter is not
-- known before it is back, or has been given up.
create function public.semo_read_results(p_office_id text, p_command_ids text[])
returns table (command_id text, status text, success boolean, result jsonb, error jsonb, late boolean)
language plpgsql stable security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform semo.check_office(p_office_id);
  return query
    -- One after the other by the key: a join that was planned when the tables were empty would read the whole office.
    select known.*
    from (select distinct id from unnest(p_command_ids) as id) as wanted
    cross join lateral (
      (
        select r.command_id, c.status, r.success, r.result, r.error, r.late
        from public.agent_command_results r, public.agent_commands c
        where r.office_id = p_office_id and r.command_id = wanted.id
          and c.office_id = p_office_id and c.command_id = wanted.id
      )
      union all
      (
        select c.command_id, c.status, false, null::jsonb, semo.lost_error(h), false
        from public.agent_commands c, public.session_hosts h
        where c.office_id = p_office_id and c.command_id = wanted.id and c.status in ('pending', 'processing')
          and h.office_id = p_office_id and h.host_id = c.host_id and h.state <> 'online'
      )
      limit 1
    ) as known;
end
$$;

-- A turn that has ended, by its row: known also when its host is away. Null: it has not, or nothing is known of it here. What
-- counts is the word of the host that has the session.
create function public.semo_ended_turn(p_office_id text, p_session_id text, p_turn_id text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  turn public.agent_turns;
begin
  perform semo.check_office(p_office_id);
  select * into turn from public.agent_turns t
    where t.office_id = p_office_id and t.session_id = p_session_id and t.turn_id = p_turn_id;
  if turn.state = 'ended' and semo.has_session(p_office_id, turn.host_id, p_session_id) then return turn.info; end if;
  return null;
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_publish_events, public.semo_event_heads, public.semo_read_events, public.semo_read_results,
  public.semo_ended_turn
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_publish_events, public.semo_event_heads, public.semo_read_events, public.semo_read_results,
  public.semo_ended_turn
  to authenticated, service_role;
