-- Forgetting. Nothing is deleted unless somebody asks for it: offices do once an hour, or pg_cron where a project has it:
--   select cron.schedule('semo-prune', '17 * * * *', $$ select public.semo_prune('my-office') $$);

-- When each office was last asked to forget, so that of several processes one does it.
create table semo.prunes (
  office_id text collate "C" primary key,
  pruned_at timestamptz not null
);
alter table semo.prunes enable row level security;
revoke all on semo.prunes from public, anon, authenticated, service_role;

-- Whom it is time for: of those who come within that time only the first.
create function semo.is_time_to_prune(p_office_id text, p_pause_ms bigint) returns boolean
language plpgsql set search_path = '' as $$
begin
  insert into semo.prunes as last (office_id, pruned_at) values (p_office_id, semo.now())
  on conflict (office_id) do update set pruned_at = semo.now() where last.pruned_at <= semo.after_ms(-p_pause_ms);
  return found;
end
$$;

-- The sessions that ended before that moment, and those that were lost before it and never did.
create function semo.sessions_over(p_office_id text, p_before timestamptz) returns setof text
language sql stable set search_path = '' as $$
  select s.session_id from public.agent_sessions s where s.office_id = p_office_id and s.ended_at < p_before
  union all
  select s.session_id from public.agent_sessions s
  where s.office_id = p_office_id and s.ended_at is null and s.host_lost_at < p_before
$$;

-- Forgets turns that ended before that moment, and those that never did, of sessions that ended or were lost before it.
-- Here and below: what is to go is found first, by an index, and is deleted by where it lies.
create function semo.prune_turns(p_office_id text, p_before timestamptz, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  before_ms constant double precision := semo.to_ms(p_before);
  ended integer;
  lost integer;
begin
  delete from public.agent_turns t where t.ctid = any (array(
    select old.ctid from public.agent_turns old
    where old.office_id = p_office_id and old.ended_ms < before_ms and old.updated_at < p_before
    order by old.ended_ms limit p_limit
    for update skip locked
  ));
  get diagnostics ended = row_count;
  delete from public.agent_turns t where t.ctid = any (array(
    select old.ctid
    from semo.sessions_over(p_office_id, p_before) as over (session_id)
    -- Of one session after the other, by the key, here and below: before PostgreSQL 17 a list of keys is planned as a look at
    -- the whole office where a table has no statistics.
    cross join lateral (
      select t.ctid from public.agent_turns t
      where t.office_id = p_office_id and t.session_id = over.session_id and t.updated_at < p_before
      limit p_limit - ended
      for update skip locked
    ) as old
    limit p_limit - ended
  ));
  get diagnostics lost = row_count;
  return ended + lost;
end
$$;

-- Forgets of each kind so many rows as were over before that moment.
create function semo.prune_rows(p_office_id text, p_before timestamptz, p_dead_before timestamptz, p_limit integer) returns integer
language plpgsql set search_path = '' as $$
declare
  before_ms constant double precision := semo.to_ms(p_before);
  pruned integer := 0;
  removed integer;
begin
  -- Planned anew for tables as they are: a plan from when they were empty reads all of them, for every portion.
  perform set_config('plan_cache_mode', 'force_custom_plan', true);
  delete from public.agent_commands c where c.ctid = any (array(
    select old.ctid from public.agent_commands old
    where old.office_id = p_office_id and old.ended_at < p_before
      and (old.status <> 'dead' or old.ended_at < p_dead_before)
    order by old.ended_at limit p_limit
    for update skip locked
  ));
  get diagnostics removed = row_count;
  pruned := removed + semo.prune_turns(p_office_id, p_before, p_limit);

  delete from public.agent_requests r where r.ctid = any (array(
    select old.ctid from public.agent_requests old
    where old.office_id = p_office_id and old.settled_ms < before_ms and old.updated_at < p_before
    order by old.settled_ms limit p_limit
    for update skip locked
  ));
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.agent_sessions s where s.ctid = any (array(
    select old.ctid
    from semo.sessions_over(p_office_id, p_before) as over (session_id)
    cross join lateral (
      select s.ctid from public.agent_sessions s
      where s.office_id = p_office_id and s.session_id = over.session_id
        and not exists (
          select from public.agent_turns t where t.office_id = p_office_id and t.session_id = over.session_id
        )
        and not exists (
          select from public.agent_commands c where c.office_id = p_office_id and c.session_id = over.session_id
        )
      limit 1
      for update of s skip locked
    ) as old
    limit p_limit
  ));
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.session_hosts h where h.ctid = any (array(
    select old.ctid from public.session_hosts old
    where old.office_id = p_office_id and old.state <> 'online' and old.lease_expires_at < p_before
      and not exists (
        select from public.agent_sessions s where s.office_id = old.office_id and s.host_id = old.host_id
      )
    limit p_limit
    for update of old skip locked
  ));
  get diagnostics removed = row_count;
  return pruned + removed;
end
$$;

/*
 Forgets what was over longer ago than that: commands with their results, turns, settled requests, sessions without turns, hosts
 that are gone, with what their office has said of them. What is open stays, and so do dead commands with what they ask for, for
 ten times as long. At most p_limit rows of each, so that no call takes long: call it again while it gives that many. Nothing is
 done where somebody else has asked less than p_pause_ms ago. Jobs have a prune of their own.
*/
create function public.semo_prune(
  p_office_id text, p_older_than_ms bigint default 604800000, p_limit integer default 1000, p_pause_ms bigint default 0
) returns integer
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_office(p_office_id);
  if not semo.is_time_to_prune(p_office_id, p_pause_ms) then return 0; end if;
  return semo.prune_rows(
    p_office_id, semo.after_ms(-p_older_than_ms), semo.after_ms(-10 * p_older_than_ms), p_limit
  );
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function public.semo_prune from public, anon, authenticated, service_role;
grant execute on function public.semo_prune to authenticated, service_role;
