-- The tables are the truth; Realtime only wakes people up to look.
--
-- Every key begins with the office, so that offices can neither see nor block each other's ids. Ids compare byte by byte, as
-- the library compares them. Columns in `_ms` are a host's own epoch milliseconds, kept exactly as it told them; columns of
-- type timestamptz are the server's.

-- Counts registrations of hosts. It never gives a number twice, also not when a host's row has been forgotten meanwhile.
create sequence semo.epochs;

-- The machines that run sessions. A host that registers again gets a higher epoch: what its earlier self still writes is refused.
create table public.session_hosts (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  host_id text collate "C" not null check (semo.is_id(host_id)),
  epoch bigint not null default nextval('semo.epochs'),
  -- `lost`: its lease ran out and somebody noticed. `gone`: it said goodbye.
  state text not null default 'online' check (state in ('online', 'lost', 'gone')),
  -- Gets no new sessions; those it has go on. A host says so of itself for as long as its process lives, and its office for as
  -- long as it likes: neither takes back what the other has said.
  draining_by_host boolean not null default false,
  draining_by_office boolean not null default false,
  draining boolean not null generated always as (draining_by_host or draining_by_office) stored,
  capacity integer not null check (capacity >= 0),
  labels text[] not null default '{}',
  -- Agent kinds it can run, with their versions. Empty: it does not say.
  agents jsonb not null default '{}',
  protocol integer not null,
  -- Which process it is, by a name that the process makes for itself: tells it from another one that has taken its place.
  instance text,
  -- Whatever else it tells of itself, for people.
  info jsonb not null default '{}',
  registered_at timestamptz not null default semo.now(),
  heartbeat_at timestamptz not null default semo.now(),
  lease_expires_at timestamptz not null,
  primary key (office_id, host_id)
);

-- A session belongs to one host for its whole life. The row is made when it is placed, before the host knows of it; of one that
-- no office has placed, when its host first speaks of it.
create table public.agent_sessions (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  session_id text collate "C" not null check (semo.is_id(session_id)),
  host_id text collate "C" not null,
  -- No office has placed it: its host has made it by itself.
  unplaced boolean not null default false,
  -- The host's epoch when it last wrote here; null: it has not.
  host_epoch bigint,
  status text not null default 'creating',
  -- SessionInfo, as the host last told it.
  info jsonb,
  -- SessionRecord, where the host keeps its records here.
  record jsonb,
  -- The record's own hostId: a host may call itself otherwise there.
  record_host text collate "C",
  conversation_id text collate "C",
  created_ms double precision,
  ended_ms double precision,
  -- The last number given to a command of this session. Counting it up is what takes the session's lock.
  last_seq bigint not null default 0,
  -- Counts what hosts write, so that a late announcement is known to be old.
  version bigint not null default 0,
  placed_at timestamptz not null default semo.now(),
  updated_at timestamptz not null default semo.now(),
  ended_at timestamptz,
  -- Its host is lost, and with it our knowledge of it. Cleared when the host tells of it again.
  host_lost_at timestamptz,
  -- Its host stayed away for too long: what it was to do goes on elsewhere or nowhere, and nothing that its host still tells of
  -- it is taken.
  given_up_at timestamptz,
  -- It was given up, and its host, which may still run it, has to end it.
  left_behind boolean not null default false,
  primary key (office_id, session_id)
);
-- How loaded a host is, and what is lost with it.
create index agent_sessions_open on public.agent_sessions (office_id, host_id) where ended_at is null;
create index agent_sessions_left_behind on public.agent_sessions (office_id, host_id) where left_behind;
-- The conversation first, as below: a plan that was made while the table was empty finds it by this and not by the key.
create index agent_sessions_by_conversation on public.agent_sessions (conversation_id, office_id)
  where conversation_id is not null;
create index agent_sessions_by_end on public.agent_sessions (office_id, ended_at) where ended_at is not null;

-- What an office asks of its hosts. The office makes the id, so that asking twice is asking once.
create table public.agent_commands (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  command_id text collate "C" not null check (semo.is_id(command_id)),
  -- Null: it is for the host as a whole.
  session_id text collate "C",
  host_id text collate "C" not null,
  kind text not null,
  -- `control` overtakes `turn`, so that a long turn never blocks its own cancel.
  lane text not null check (lane in ('turn', 'control')),
  -- What keeps an order of its own: a session, or a command that is for no session.
  lane_key text collate "C" not null generated always as (coalesce(session_id, command_id)) stored,
  seq bigint not null,
  -- The whole command. Null once it has been answered: it may hold secrets, and nobody has to do it any more.
  payload jsonb,
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed', 'dead')),
  attempts integer not null default 0,
  -- How often somebody has had it handed out again after it had died.
  requeued integer not null default 0,
  max_attempts integer not null default 5 check (max_attempts > 0),
  -- Who has it: the host under this epoch, with this token. A new one is made whenever it is handed out. Nobody again, once it
  -- has been requeued.
  lease_epoch bigint,
  lease_token uuid,
  lease_expires_at timestamptz,
  enqueued_at timestamptz not null default semo.now(),
  -- From then on nobody waits for it, and it is not handed out any more.
  expires_at timestamptz not null,
  ended_at timestamptz,
  last_error jsonb,
  primary key (office_id, command_id)
);
-- Every command is written three or four times in its life. Against a long history the default would clean up so late that the
-- indexes of what is open were mostly of what is over.
alter table public.agent_commands set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- Claiming reads this one only. Open commands are few; what has ended is not in it, so history costs nothing.
create index agent_commands_open on public.agent_commands (office_id, host_id, lane_key, lane, seq)
  where status in ('pending', 'processing');
-- What has waited, or been held, for too long.
create index agent_commands_waiting on public.agent_commands (office_id, expires_at) where status = 'pending';
create index agent_commands_held on public.agent_commands (office_id, lease_expires_at) where status = 'processing';
create unique index agent_commands_by_session on public.agent_commands (office_id, session_id, seq)
  where session_id is not null;
create index agent_commands_dead on public.agent_commands (office_id, ended_at, command_id) where status = 'dead';
create index agent_commands_by_end on public.agent_commands (office_id, ended_at) where ended_at is not null;

-- What came of a command; readable by its id for as long as it is kept, also when it came too late for whoever waited.
create table public.agent_command_results (
  office_id text collate "C" not null,
  command_id text collate "C" not null,
  session_id text collate "C",
  -- Null: no host answered, we did.
  host_id text collate "C",
  success boolean not null,
  result jsonb,
  error jsonb,
  -- It came after the command had been given up.
  late boolean not null default false,
  created_at timestamptz not null default semo.now(),
  primary key (office_id, command_id),
  foreign key (office_id, command_id) references public.agent_commands on delete cascade,
  check (success = (error is null))
);

-- One prompt and what came of it.
create table public.agent_turns (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  session_id text collate "C" not null check (semo.is_id(session_id)),
  turn_id text collate "C" not null check (semo.is_id(turn_id)),
  host_id text collate "C" not null,
  host_epoch bigint not null,
  -- How far the prompt has come by the host's record; null: it keeps none here.
  delivery text check (delivery in ('intent', 'submitted', 'accepted', 'ended')),
  -- TurnRecord, where the host keeps its records here.
  record jsonb,
  -- By the host's last word: null, until the agent has taken it.
  state text check (state in ('running', 'waiting', 'ended')),
  -- TurnInfo, as the host last told it. Once it has ended it stays.
  info jsonb,
  outcome text,
  intent_ms double precision,
  ended_ms double precision,
  version bigint not null default 1,
  updated_at timestamptz not null default semo.now(),
  primary key (office_id, session_id, turn_id)
);
create index agent_turns_open on public.agent_turns (office_id, session_id) where ended_ms is null;
create index agent_turns_by_end on public.agent_turns (office_id, ended_ms) where ended_ms is not null;

-- What agents asked of people.
create table public.agent_requests (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  request_id text collate "C" not null check (semo.is_id(request_id)),
  session_id text collate "C" not null,
  turn_id text collate "C" not null,
  host_id text collate "C" not null,
  host_epoch bigint not null,
  kind text not null,
  state text not null check (state in ('open', 'answered', 'withdrawn', 'expired')),
  conversation_id text collate "C",
  -- RequestRecord.
  record jsonb not null,
  asked_ms double precision not null,
  settled_ms double precision,
  version bigint not null default 1,
  updated_at timestamptz not null default semo.now(),
  primary key (office_id, request_id)
);
create index agent_requests_open on public.agent_requests (office_id, asked_ms) where state = 'open';
-- The session first: an index that begins with the office looks as good as the key while the table is empty, and a plan of
-- that time would read the whole office for one request.
create index agent_requests_by_session on public.agent_requests (session_id, office_id);
create index agent_requests_by_end on public.agent_requests (office_id, settled_ms) where settled_ms is not null;

-- Jobs of the office. Hosts have no business here.
create table public.agent_jobs (
  office_id text collate "C" not null check (semo.is_id(office_id)),
  job_id text collate "C" not null check (semo.is_id(job_id)),
  -- KeptJobSpec, defaults filled in.
  spec jsonb not null,
  agent_id text,
  state text not null default 'queued' check (state in ('queued', 'running', 'ended')),
  running_since timestamptz,
  ended_at timestamptz,
  result jsonb,
  priority integer not null,
  submitted_at timestamptz not null,
  deadline_at timestamptz,
  lease_owner text,
  lease_expires_at timestamptz,
  -- The highest fence there has been; the lease's own, while somebody has it.
  fence bigint not null default 0,
  cancel_requested boolean not null default false,
  attempts jsonb not null default '[]',
  reopened text check (reopened in ('retry', 'resume')),
  percent double precision,
  -- How often it has ended: names one end, also when it was done again since.
  endings integer not null default 0,
  reported boolean not null default false,
  primary key (office_id, job_id),
  check ((state = 'ended') = (ended_at is not null and result is not null)),
  check ((lease_owner is null) = (lease_expires_at is null))
);
create index agent_jobs_by_claim on public.agent_jobs (office_id, priority desc, submitted_at, job_id)
  where state <> 'ended';
create index agent_jobs_by_age on public.agent_jobs (office_id, submitted_at, job_id);
create index agent_jobs_unreported on public.agent_jobs (office_id, submitted_at, job_id)
  where state = 'ended' and not reported;
create index agent_jobs_by_end on public.agent_jobs (office_id, ended_at) where ended_at is not null;
