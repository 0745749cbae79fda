-- Forgetting. Nothing is deleted unless somebody asks for it: the office from time to time, or pg_cron where a project has it:
--   select cron.schedule('semo-prune', '17 * * * *', $$ select public.semo_prune('my-office') $$);

/*
 Forgets what was over longer ago than that: commands with their results, turns, settled requests, sessions without turns, hosts
 that are gone. What is open stays, and so do dead commands with what they ask for, for ten times as long. At most p_limit rows
 of each, so that no call takes long: call it again while it gives that many. Jobs have a prune of their own.
*/
create function public.semo_prune(
  p_office_id text, p_older_than_ms bigint default 604800000, p_limit integer default 1000
) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  before timestamptz := semo.after_ms(-p_older_than_ms);
  before_ms double precision := semo.to_ms(before);
  pruned integer := 0;
  removed integer;
begin
  perform semo.check_office(p_office_id);
  delete from public.agent_commands c where c.office_id = p_office_id and c.command_id in (
    select old.command_id from public.agent_commands old
    where old.office_id = p_office_id and old.ended_at < before
      and (old.status <> 'dead' or old.ended_at < semo.after_ms(-10 * p_older_than_ms))
    order by old.ended_at limit p_limit
  );
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.agent_turns t where t.office_id = p_office_id and (t.session_id, t.turn_id) in (
    select old.session_id, old.turn_id from public.agent_turns old
    where old.office_id = p_office_id and old.ended_ms < before_ms and old.updated_at < before
    order by old.ended_ms limit p_limit
  );
  get diagnostics removed = row_count;
  pruned := pruned + removed;
  -- Of sessions that were lost so long ago, also those that never ended.
  delete from public.agent_turns t using public.agent_sessions s
    where s.office_id = p_office_id and s.host_lost_at < before
      and t.office_id = s.office_id and t.session_id = s.session_id;
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.agent_requests r where r.office_id = p_office_id and r.request_id in (
    select old.request_id from public.agent_requests old
    where old.office_id = p_office_id and old.settled_ms < before_ms and old.updated_at < before
    order by old.settled_ms limit p_limit
  );
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.agent_sessions s where s.office_id = p_office_id and s.session_id in (
    select old.session_id from public.agent_sessions old
    where old.office_id = p_office_id and (old.ended_at < before or old.host_lost_at < before)
      and not exists (
        select from public.agent_turns t where t.office_id = old.office_id and t.session_id = old.session_id
      )
      and not exists (
        select from public.agent_commands c where c.office_id = old.office_id and c.session_id = old.session_id
      )
    order by old.ended_at limit p_limit
  );
  get diagnostics removed = row_count;
  pruned := pruned + removed;

  delete from public.session_hosts h
    where h.office_id = p_office_id and h.state <> 'online' and h.lease_expires_at < before
      and not exists (
        select from public.agent_sessions s where s.office_id = h.office_id and s.host_id = h.host_id
      );
  get diagnostics removed = row_count;
  return pruned + removed;
end
$$;

revoke all on function public.semo_prune from public, anon, authenticated, service_role;
grant execute on function public.semo_prune to authenticated, service_role;
