/** "SEMO": marks a file as one of ours, so that nothing is written into somebody else's database. */
export const APPLICATION_ID = 0x53454d4f;

/**
 * How a file becomes what this version needs, step by step; `user_version` counts the steps it has taken. A step that has
 * been released never changes. Each record is one JSON document; the columns beside it are what is searched by.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    agent_id TEXT,
    priority INTEGER NOT NULL,
    submitted_at REAL NOT NULL,
    held_until REAL,
    ended_at REAL,
    reported INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX jobs_by_claim ON jobs (priority DESC, submitted_at, job_id) WHERE ended_at IS NULL;
  CREATE INDEX jobs_by_age ON jobs (submitted_at, job_id);
  CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;

  CREATE TABLE requests (
    request_id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    conversation_id TEXT,
    state TEXT NOT NULL,
    asked_at REAL NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX requests_by_state ON requests (state, asked_at);

  CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    host_id TEXT NOT NULL,
    conversation_id TEXT,
    created_at REAL NOT NULL,
    ended_at REAL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sessions_by_end ON sessions (ended_at, created_at);

  CREATE TABLE turns (
    session_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    intent_at REAL NOT NULL,
    ended_at REAL,
    document TEXT NOT NULL,
    PRIMARY KEY (session_id, turn_id)
  ) STRICT;
  CREATE INDEX turns_by_end ON turns (ended_at, intent_at);
  `,
  // Jobs count their ends. Of how many there were before nobody knows; the last one is enough to tell it from the next.
  `
  UPDATE jobs SET document = json_set(document, '$.endings', iif(ended_at IS NULL, 0, 1))
  WHERE json_valid(document);
  `,
];
