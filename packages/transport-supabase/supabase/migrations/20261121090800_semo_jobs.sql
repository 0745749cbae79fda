-- Jobs, as core's JobStore wants them kept: claimed for a while, under a fence that rises with every claim. The transitions are
-- those of core's job-transition.ts; here they happen where the time is the server's and the row is locked.

-- A job in the shape of the library's JobRecord.
create function semo.job_record(p_job public.agent_jobs) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'jobId', p_job.job_id,
    'spec', p_job.spec,
    'state', case p_job.state
      when 'queued' then jsonb_build_object('kind', 'queued')
      when 'running' then jsonb_build_object('kind', 'running', 'since', semo.to_ms(p_job.running_since))
      else jsonb_build_object('kind', 'ended', 'at', semo.to_ms(p_job.ended_at), 'result', p_job.result)
    end,
    'priority', p_job.priority,
    'submittedAt', semo.to_ms(p_job.submitted_at),
    'deadlineAt', semo.to_ms(p_job.deadline_at),
    'lease', case when p_job.lease_owner is not null then jsonb_build_object(
      'owner', p_job.lease_owner, 'fence', p_job.fence, 'expiresAt', semo.to_ms(p_job.lease_expires_at)) end,
    'fence', p_job.fence,
    'cancelRequested', p_job.cancel_requested,
    'attempts', p_job.attempts,
    'reopened', p_job.reopened,
    'percent', p_job.percent,
    'endings', p_job.endings,
    'reported', p_job.reported
  )
$$;

-- A job, locked until the end of the call. Refused as `job_unknown`.
create function semo.locked_job(p_office_id text, p_job_id text) returns public.agent_jobs
language plpgsql set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  select * into job from public.agent_jobs j where j.office_id = p_office_id and j.job_id = p_job_id for no key update;
  if not found then
    perform semo.refuse('job_unknown', format('There is no job %s.', p_job_id), jsonb_build_object('jobId', p_job_id));
  end if;
  return job;
end
$$;

-- A job that is held under that lease, locked. One whose lease has run out is still held while nobody else has claimed it.
-- Refused as `lease_lost`.
create function semo.held_job(p_office_id text, p_job_id text, p_owner text, p_fence bigint) returns public.agent_jobs
language plpgsql set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  select * into job from public.agent_jobs j where j.office_id = p_office_id and j.job_id = p_job_id for no key update;
  if job.lease_owner = p_owner and job.fence = p_fence then return job; end if;
  perform semo.refuse('lease_lost',
    format('Job %s is not held under fence %s by now. Stop working on it.', p_job_id, p_fence),
    jsonb_build_object('jobId', p_job_id, 'fence', p_fence, 'latestFence', job.fence, 'state', job.state));
  return null;
end
$$;

create function semo.deadline_of(p_spec jsonb) returns timestamptz
language sql stable set search_path = '' as $$
  select semo.after_ms((p_spec ->> 'deadlineMs')::bigint)
$$;

/*
 Keeps a new job, whose spec the library has parsed, with its defaults filled in. With p_owner it is claimed at birth. The same
 job again gives the one that is kept. Refused as `job_conflict` when there is another of that id.
*/
create function public.semo_put_job(
  p_office_id text, p_spec jsonb, p_owner text default null, p_lease_ms bigint default null
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  insert into public.agent_jobs
    (office_id, job_id, spec, agent_id, priority, submitted_at, deadline_at, lease_owner, lease_expires_at, fence)
  values (
    p_office_id, p_spec ->> 'jobId', p_spec, p_spec ->> 'agentId', (p_spec ->> 'priority')::integer, semo.now(),
    semo.deadline_of(p_spec), p_owner, case when p_owner is not null then semo.after_ms(p_lease_ms) end,
    case when p_owner is null then 0 else 1 end
  )
  on conflict do nothing
  returning * into job;
  if not found then
    select * into job from public.agent_jobs j where j.office_id = p_office_id and j.job_id = p_spec ->> 'jobId';
    if job.spec <> p_spec then
      perform semo.refuse('job_conflict',
        format('There is another job %s. Give this one an id of its own.', p_spec ->> 'jobId'),
        jsonb_build_object('jobId', p_spec ->> 'jobId'));
    end if;
  end if;
  return semo.job_record(job);
end
$$;

-- A job, or null.
create function public.semo_get_job(p_office_id text, p_job_id text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  perform semo.check_office(p_office_id);
  return (
    select semo.job_record(j) from public.agent_jobs j where j.office_id = p_office_id and j.job_id = p_job_id
  );
end
$$;

-- Jobs, the oldest first. One array, since the API cuts rows at a limit of its own. Only what is asked for is said in the
-- statement: so an index of what is open, or was not told yet, can be used, and what is over is not read.
create function public.semo_list_jobs(
  p_office_id text,
  p_states text[] default null,
  p_agent_id text default null,
  p_reported boolean default null,
  p_limit integer default 1000
) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  jobs jsonb;
begin
  perform semo.check_office(p_office_id);
  execute concat_ws(E'\n',
    'select coalesce(jsonb_agg(semo.job_record(one) order by one.submitted_at, one.job_id), ''[]'') from (',
    'select * from public.agent_jobs j where j.office_id = $1',
    case when p_states is not null then 'and j.state = any ($2)' end,
    case when not p_states @> '{ended}' then 'and j.state <> ''ended''' end,
    case when p_agent_id is not null then 'and j.agent_id = $3' end,
    case p_reported
      when true then 'and j.state = ''ended'' and j.reported'
      when false then 'and j.state = ''ended'' and not j.reported'
    end,
    'order by j.submitted_at, j.job_id limit $4) as one'
  ) into jobs using p_office_id, p_states, p_agent_id, p_limit;
  return jobs;
end
$$;

-- Claims the next job that has not ended and that nobody holds by now: the highest priority, then the oldest. Null: none.
-- `p_overdue`: only one whose deadline has passed.
create function public.semo_claim_job(
  p_office_id text, p_owner text, p_lease_ms bigint, p_overdue boolean default false
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  update public.agent_jobs j set
    fence = j.fence + 1, lease_owner = p_owner, lease_expires_at = semo.after_ms(p_lease_ms)
    where j.office_id = p_office_id and j.job_id = (
      select free.job_id from public.agent_jobs free
      where free.office_id = p_office_id and free.state <> 'ended'
        and (free.lease_owner is null or free.lease_expires_at <= semo.now())
        and (not p_overdue or free.deadline_at <= semo.now())
      order by free.priority desc, free.submitted_at, free.job_id
      limit 1
      for no key update skip locked
    )
    returning * into job;
  return case when found then semo.job_record(job) end;
end
$$;

-- Holds on to a job. Refused as `lease_lost`.
create function public.semo_renew_job(
  p_office_id text, p_job_id text, p_owner text, p_fence bigint, p_lease_ms bigint
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  job := semo.held_job(p_office_id, p_job_id, p_owner, p_fence);
  update public.agent_jobs j set lease_expires_at = semo.after_ms(p_lease_ms)
    where j.office_id = p_office_id and j.job_id = p_job_id returning * into job;
  return semo.job_record(job);
end
$$;

-- Writes about a job, under its lease: a JobChange of the library. Refused as `lease_lost`; as `invalid_argument` for an attempt
-- that does not follow the last one.
create function public.semo_change_job(
  p_office_id text, p_job_id text, p_owner text, p_fence bigint, p_change jsonb
) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
  number integer := (p_change #>> '{attempt,number}')::integer;
begin
  perform semo.check_office(p_office_id);
  job := semo.held_job(p_office_id, p_job_id, p_owner, p_fence);
  case p_change ->> 'kind'
    when 'started' then
      if job.state <> 'running' then
        job.state := 'running';
        job.running_since := semo.now();
      end if;
    when 'attempt' then
      if number > jsonb_array_length(job.attempts) then
        perform semo.refuse('invalid_argument',
          format('The next attempt of job %s is number %s.', p_job_id, jsonb_array_length(job.attempts)));
      end if;
      if number = jsonb_array_length(job.attempts) then
        job.attempts := job.attempts || jsonb_build_array(p_change -> 'attempt');
        job.reopened := null;
      else
        job.attempts := jsonb_set(job.attempts, array[number::text], p_change -> 'attempt');
      end if;
    when 'progress' then
      job.percent := (p_change ->> 'percent')::double precision;
    when 'ended' then
      job := semo.ended_job(job, p_change -> 'result');
    when 'released' then
      job.lease_owner := null;
      job.lease_expires_at := null;
    else
      perform semo.refuse('invalid_argument', format('There is no change %s of a job.', p_change ->> 'kind'));
  end case;
  return semo.job_record(semo.keep_job(job));
end
$$;

create function semo.ended_job(p_job public.agent_jobs, p_result jsonb) returns public.agent_jobs
language plpgsql stable set search_path = '' as $$
begin
  p_job.state := 'ended';
  p_job.running_since := null;
  p_job.ended_at := semo.now();
  p_job.result := p_result;
  p_job.lease_owner := null;
  p_job.lease_expires_at := null;
  p_job.reopened := null;
  p_job.endings := p_job.endings + 1;
  p_job.reported := false;
  return p_job;
end
$$;

-- Writes what has become of a job that is locked.
create function semo.keep_job(p_job public.agent_jobs) returns public.agent_jobs
language plpgsql set search_path = '' as $$
begin
  update public.agent_jobs j set
    state = p_job.state, running_since = p_job.running_since, ended_at = p_job.ended_at, result = p_job.result,
    deadline_at = p_job.deadline_at, lease_owner = p_job.lease_owner, lease_expires_at = p_job.lease_expires_at,
    cancel_requested = p_job.cancel_requested, attempts = p_job.attempts, reopened = p_job.reopened,
    percent = p_job.percent, endings = p_job.endings, reported = p_job.reported
    where j.office_id = p_job.office_id and j.job_id = p_job.job_id;
  return p_job;
end
$$;

-- The result of a job that ends while nobody is at it. Its time counts from its submission.
create function semo.cancelled_result(p_job public.agent_jobs) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'outcome', 'cancelled', 'confidence', 'certain', 'text', '', 'milestones', '[]'::jsonb, 'evidence', '[]'::jsonb,
    'attempts', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'reason', one -> 'reason', 'sessionId', one -> 'sessionId', 'turnId', one -> 'turnId', 'outcome', one -> 'outcome',
        'startedAt', one -> 'startedAt', 'endedAt', one -> 'endedAt', 'error', one -> 'error') order by number), '[]')
      from jsonb_array_elements(p_job.attempts) with ordinality as tried (one, number)
      where one ->> 'outcome' is not null and one ->> 'endedAt' is not null
    ),
    'sessionId', coalesce(p_job.attempts -> -1 ->> 'sessionId', p_job.spec #>> '{session,sessionId}', ''),
    'conversationId', p_job.attempts -> -1 ->> 'conversationId',
    'workspace', null,
    'durationMs', greatest(0, semo.to_ms(semo.now()) - semo.to_ms(p_job.submitted_at)),
    'error', jsonb_build_object(
      'code', 'turn_cancelled', 'class', 'cancelled', 'message', 'The job was cancelled while nobody was working on it.',
      'retryable', false)
  )
$$;

-- Asks for a job to end. One that nobody is at ends at once; else whoever holds it, or claims it next, ends what still runs.
create function public.semo_cancel_job(p_office_id text, p_job_id text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  job := semo.locked_job(p_office_id, p_job_id);
  if job.state = 'ended' then return semo.job_record(job); end if;
  job.cancel_requested := true;
  if (job.lease_owner is null or job.lease_expires_at <= semo.now())
    and (job.attempts = '[]' or job.attempts -> -1 ->> 'endedAt' is not null) then
    job := semo.ended_job(job, semo.cancelled_result(job));
  end if;
  return semo.job_record(semo.keep_job(job));
end
$$;

-- Puts a job that has ended back into the queue; its deadline counts from now. Refused as `job_unknown`, `job_not_ended`.
create function public.semo_reopen_job(p_office_id text, p_job_id text, p_how text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  job := semo.locked_job(p_office_id, p_job_id);
  if job.state <> 'ended' then
    perform semo.refuse('job_not_ended',
      format('Job %s has not ended. Cancel it first, or wait for its end.', p_job_id),
      jsonb_build_object('jobId', p_job_id, 'state', job.state));
  end if;
  job.state := 'queued';
  job.ended_at := null;
  job.result := null;
  job.deadline_at := semo.deadline_of(job.spec);
  job.cancel_requested := false;
  job.reopened := p_how;
  job.percent := null;
  job.reported := false;
  return semo.job_record(semo.keep_job(job));
end
$$;

-- Marks one end of a job as told, by its number. One that was reopened since has another end to tell, and stays. Refused:
-- `job_unknown`.
create function public.semo_mark_job_reported(p_office_id text, p_job_id text, p_ending integer) returns void
language plpgsql security definer set search_path = '' as $$
declare
  job public.agent_jobs;
begin
  perform semo.check_office(p_office_id);
  job := semo.locked_job(p_office_id, p_job_id);
  job.reported := job.reported or (job.state = 'ended' and job.endings = p_ending);
  perform semo.keep_job(job);
end
$$;

-- Forgets jobs that ended before that moment, in epoch milliseconds; at most p_limit of them, so call it until it gives less.
create function public.semo_prune_jobs(
  p_office_id text, p_ended_before double precision, p_limit integer default 10000
) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  pruned integer;
begin
  perform semo.check_office(p_office_id);
  -- Planned anew for the table as it is, found by an index, and deleted by where they lie: a plan from when it was empty reads
  -- all of it, for every portion.
  perform set_config('plan_cache_mode', 'force_custom_plan', true);
  delete from public.agent_jobs j
    where j.ctid = any (array(
      select old.ctid from public.agent_jobs old
      where old.office_id = p_office_id and old.ended_at < to_timestamp(p_ended_before / 1000)
      order by old.ended_at limit p_limit
      for update skip locked
    ));
  get diagnostics pruned = row_count;
  return pruned;
end
$$;

revoke all on all functions in schema semo from public, anon, authenticated, service_role;
revoke all on function
  public.semo_put_job, public.semo_get_job, public.semo_list_jobs, public.semo_claim_job, public.semo_renew_job,
  public.semo_change_job, public.semo_cancel_job, public.semo_reopen_job, public.semo_mark_job_reported,
  public.semo_prune_jobs
  from public, anon, authenticated, service_role;
grant execute on function
  public.semo_put_job, public.semo_get_job, public.semo_list_jobs, public.semo_claim_job, public.semo_renew_job,
  public.semo_change_job, public.semo_cancel_job, public.semo_reopen_job, public.semo_mark_job_reported,
  public.semo_prune_jobs
  to authenticated, service_role;
