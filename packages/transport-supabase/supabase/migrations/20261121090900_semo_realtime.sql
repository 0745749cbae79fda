-- Who is woken up, and who may listen. Broadcasts reach whoever is there, once or never; so they carry no content, only where
-- to look: { id, session_id, seq }. `seq` rises with every change of what `id` names.
--
--   office:{officeId}:commands:{hostId}   there is something to claim. Each host hears its own only.
--   office:{officeId}:events              results, sessions, turns, requests, hosts, and that there is more to read of a host.
--
-- Only the triggers here send: a host or an office that could, could wake others for nothing.

create function semo.tell_host(p_office_id text, p_host_id text, p_payload jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  perform realtime.send(p_payload, 'command', 'office:' || p_office_id || ':commands:' || p_host_id, true);
end
$$;

create function semo.tell_office(p_office_id text, p_event text, p_payload jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  perform realtime.send(p_payload, p_event, 'office:' || p_office_id || ':events', true);
end
$$;

create function semo.announce_command() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_host(new.office_id, new.host_id,
    jsonb_build_object('id', new.command_id, 'session_id', new.session_id, 'seq', new.seq));
  return null;
end
$$;
create trigger semo_announce_new after insert on public.agent_commands
  for each row execute function semo.announce_command();
create trigger semo_announce_requeued after update of status on public.agent_commands
  for each row when (new.status = 'pending' and old.status <> 'pending') execute function semo.announce_command();

create function semo.announce_death() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'dead',
    jsonb_build_object('id', new.command_id, 'session_id', new.session_id, 'seq', new.seq));
  return null;
end
$$;
create trigger semo_announce_death after update of status on public.agent_commands
  for each row when (new.status = 'dead' and old.status <> 'dead') execute function semo.announce_death();

create function semo.announce_result() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'result', jsonb_build_object(
    'id', new.command_id, 'session_id', new.session_id, 'seq', (
      select c.seq from public.agent_commands c where c.office_id = new.office_id and c.command_id = new.command_id
    )));
  return null;
end
$$;
create trigger semo_announce after insert or update on public.agent_command_results
  for each row execute function semo.announce_result();

create function semo.announce_session() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'session',
    jsonb_build_object('id', new.session_id, 'session_id', new.session_id, 'seq', new.version));
  return null;
end
$$;
create trigger semo_announce_new after insert on public.agent_sessions
  for each row when (new.version > 0) execute function semo.announce_session();
-- Not for every number that is given to a command.
create trigger semo_announce_change after update on public.agent_sessions
  for each row when (
    new.status <> old.status or new.host_lost_at is distinct from old.host_lost_at or new.ended_at is distinct from old.ended_at
  ) execute function semo.announce_session();

create function semo.announce_turn() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'turn',
    jsonb_build_object('id', new.turn_id, 'session_id', new.session_id, 'seq', new.version));
  return null;
end
$$;
create trigger semo_announce_new after insert on public.agent_turns
  for each row when (new.state is not null) execute function semo.announce_turn();
create trigger semo_announce_change after update on public.agent_turns
  for each row when (new.state is distinct from old.state) execute function semo.announce_turn();

create function semo.announce_request() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'request',
    jsonb_build_object('id', new.request_id, 'session_id', new.session_id, 'seq', new.version));
  return null;
end
$$;
create trigger semo_announce_new after insert on public.agent_requests
  for each row execute function semo.announce_request();
create trigger semo_announce_change after update on public.agent_requests
  for each row when (new.state <> old.state) execute function semo.announce_request();

create function semo.announce_host() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.tell_office(new.office_id, 'host',
    jsonb_build_object('id', new.host_id, 'session_id', null, 'seq', new.epoch));
  return null;
end
$$;
create trigger semo_announce_new after insert on public.session_hosts
  for each row execute function semo.announce_host();
create trigger semo_announce_change after update on public.session_hosts
  for each row when (new.state <> old.state or new.epoch <> old.epoch or new.draining <> old.draining)
  execute function semo.announce_host();

-- The channels. What is not allowed here is not heard and not sent, presence included; the service role passes all policies.
create policy "semo: a host hears its commands" on realtime.messages for select to authenticated using (
  extension = 'broadcast'
  and ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'host'
  and (select realtime.topic()) = 'office:' || ((select auth.jwt()) #>> '{app_metadata,semo,office_id}')
    || ':commands:' || ((select auth.jwt()) #>> '{app_metadata,semo,host_id}')
);
create policy "semo: an office hears its events" on realtime.messages for select to authenticated using (
  extension = 'broadcast'
  and ((select auth.jwt()) #>> '{app_metadata,semo,role}') = 'office'
  and (select realtime.topic()) = 'office:' || ((select auth.jwt()) #>> '{app_metadata,semo,office_id}') || ':events'
);

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
