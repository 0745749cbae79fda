-- What agents ask of people. Their hosts write it, under the fence; offices read it and answer by a command.

-- When a request was settled, in epoch milliseconds: an answer that was kept counts from when the agent got it.
create function semo.settled_ms(p_state jsonb) returns double precision
language sql immutable set search_path = '' as $$
  select coalesce((p_state ->> 'givenAt')::double precision, (p_state ->> 'at')::double precision)
$$;

-- Whether there is a request of that id which is another host's.
create function semo.is_others_request(p_office_id text, p_host_id text, p_request_id text) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  owner text;
begin
  select r.host_id into owner from public.agent_requests r where r.office_id = p_office_id and r.request_id = p_request_id;
  return coalesce(owner <> p_host_id, false);
end
$$;

-- Keeps a new request. One that is there already stays as it is.
create function public.semo_put_request(p_office_id text, p_host_id text, p_epoch bigint, p_record jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare
  request jsonb := p_record -> 'request';
  request_state jsonb := p_record -> 'state';
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  perform semo.check_living_session(p_office_id, p_host_id, request ->> 'sessionId');
  insert into public.agent_requests
    (office_id, request_id, session_id, turn_id, host_id, host_epoch, kind, state, conversation_id, record, asked_ms,
      settled_ms)
  values (
    p_office_id, request ->> 'requestId', request ->> 'sessionId', request ->> 'turnId', p_host_id, p_epoch,
    request ->> 'kind', request_state ->> 'kind', request ->> 'conversationId', p_record,
    (request ->> 'askedAt')::double precision, semo.settled_ms(request_state)
  )
  on conflict do nothing;
end
$$;

-- Settles an open request. Only one caller ever gets true; false: it is settled already, or there is none.
create function public.semo_settle_request(
  p_office_id text, p_host_id text, p_epoch bigint, p_request_id text, p_state jsonb
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  update public.agent_requests r set
    state = p_state ->> 'kind', record = r.record || jsonb_build_object('state', p_state),
    settled_ms = semo.settled_ms(p_state), host_epoch = p_epoch, version = r.version + 1, updated_at = semo.now()
    where r.office_id = p_office_id and r.request_id = p_request_id and r.host_id = p_host_id and r.host_epoch <= p_epoch
      and r.state = 'open' and semo.has_session(p_office_id, p_host_id, r.session_id);
  return found;
end
$$;

-- Takes an answer that was kept, to give it to the agent. Only one caller ever gets true.
create function public.semo_give_request(
  p_office_id text, p_host_id text, p_epoch bigint, p_request_id text, p_given_at double precision
) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  update public.agent_requests r set
    record = jsonb_set(r.record, '{state,givenAt}', to_jsonb(p_given_at)), settled_ms = p_given_at, host_epoch = p_epoch,
    version = r.version + 1, updated_at = semo.now()
    where r.office_id = p_office_id and r.request_id = p_request_id and r.host_id = p_host_id and r.host_epoch <= p_epoch
      and r.state = 'answered' and r.record #>> '{state,givenAt}' is null
      and semo.has_session(p_office_id, p_host_id, r.session_id);
  return found;
end
$$;

-- Forgets a host's requests that were settled before that moment, in epoch milliseconds.
create function public.semo_prune_requests(
  p_office_id text, p_host_id text, p_epoch bigint, p_settled_before double precision
) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  pruned integer;
begin
  perform semo.check_fence(p_office_id, p_host_id, p_epoch);
  delete from public.agent_requests r
    where r.office_id = p_office_id and r.host_id = p_host_id and r.settled_ms < p_settled_before;
  get diagnostics pruned = row_count;
  return pruned;
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_put_request, public.semo_settle_request, public.semo_give_request, public.semo_prune_requests
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_put_request, public.semo_settle_request, public.semo_give_request, public.semo_prune_requests
  to authenticated, service_role;
