-- Who may read the tables. Nobody writes to them but our functions, the service role included: a row that was written past
-- them would be past every lease and fence as well.

alter table public.session_hosts enable row level security;
alter table public.agent_sessions enable row level security;
alter table public.agent_commands enable row level security;
alter table public.agent_command_results enable row level security;
alter table public.agent_turns enable row level security;
alter table public.agent_requests enable row level security;
alter table public.agent_jobs enable row level security;

-- Older projects give everything in `public` to everybody by default, newer ones nothing: say it all, both ways.
revoke all on public.session_hosts, public.agent_sessions, public.agent_commands, public.agent_command_results,
  public.agent_turns, public.agent_requests, public.agent_jobs
  from public, anon, authenticated, service_role;
grant select on public.session_hosts, public.agent_sessions, public.agent_commands, public.agent_command_results,
  public.agent_turns, public.agent_requests, public.agent_jobs
  to authenticated, service_role;

-- An office reads what is its own. A host reads what is its own within its office. `(select auth.jwt())` is asked once for
-- a query, not once for a row.
create policy "its own office" on public.session_hosts for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.session_hosts for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_sessions for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.agent_sessions for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_commands for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.agent_commands for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_command_results for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.agent_command_results for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_turns for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.agent_turns for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_requests for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
create policy "its own host" on public.agent_requests for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
  and host_id = ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);

create policy "its own office" on public.agent_jobs for select to authenticated using (
  ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and office_id = ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
);
