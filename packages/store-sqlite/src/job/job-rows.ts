import { isClaimable, isOverdue, jobRecordSchema, type JobFilter, type JobRecord } from '@semo-office/core';

import type { StoreFile, Values } from '../file/store-file.ts';

const KIND = { table: 'jobs', schema: jobRecordSchema };

const ADD = `
  INSERT INTO jobs (job_id, state, agent_id, priority, submitted_at, held_until, ended_at, reported, document)
  VALUES (:jobId, :state, :agentId, :priority, :submittedAt, :heldUntil, :endedAt, :reported, :document)`;

const REPLACE = `
  UPDATE jobs SET state = :state, agent_id = :agentId, priority = :priority, submitted_at = :submittedAt,
    held_until = :heldUntil, ended_at = :endedAt, reported = :reported, document = :document
  WHERE job_id = :jobId`;

const NEXT_CLAIM = `
  SELECT rowid, document FROM jobs
  WHERE ended_at IS NULL AND (held_until IS NULL OR held_until <= :at)
  ORDER BY priority DESC, submitted_at, job_id`;

/** A document that is damaged is met, and told of, by whoever claims any job. */
const NEXT_OVERDUE = `
  SELECT rowid, document FROM jobs
  WHERE ended_at IS NULL AND (held_until IS NULL OR held_until <= :at)
    AND iif(json_valid(document), json_extract(document, '$.deadlineAt'), NULL) <= :at
  ORDER BY priority DESC, submitted_at, job_id`;

const LIST = `
  SELECT rowid, document FROM jobs
  WHERE (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    AND (:agentId IS NULL OR agent_id = :agentId)
    AND (:reported IS NULL OR (ended_at IS NOT NULL AND reported = :reported))
  ORDER BY submitted_at, job_id
  LIMIT :limit`;

/** The table of jobs. */
export class JobRows {
  readonly #file: StoreFile;

  constructor(file: StoreFile) {
    this.#file = file;
  }

  get(jobId: string): JobRecord | null {
    const [record] = this.#file.documents(KIND, 'SELECT rowid, document FROM jobs WHERE job_id = :jobId', { jobId });
    return record ?? null;
  }

  list({ state, agentId, reported, limit }: JobFilter & { readonly limit: number }): JobRecord[] {
    const values = {
      states: state === undefined ? null : JSON.stringify(state),
      agentId: agentId ?? null,
      reported: reported === undefined ? null : Number(reported),
      limit,
    };
    return [...this.#file.documents(KIND, LIST, values)];
  }

  /** The job that is to be claimed next, or the next of those whose deadline has passed; `null`: there is none. */
  nextClaim({ at, overdue }: { readonly at: number; readonly overdue: boolean }): JobRecord | null {
    for (const record of this.#file.documents(KIND, overdue ? NEXT_OVERDUE : NEXT_CLAIM, { at }))
      if (isClaimable(record, at) && (!overdue || isOverdue(record, at))) return record;
    return null;
  }

  add(record: JobRecord): JobRecord {
    this.#file.run(ADD, columns(record));
    return record;
  }

  /** Writes what has become of a record, if anything has. */
  replace(before: JobRecord, after: JobRecord): JobRecord {
    if (after !== before) this.#file.run(REPLACE, columns(after));
    return after;
  }

  prune(endedBefore: number): number {
    return this.#file.run('DELETE FROM jobs WHERE ended_at < :endedBefore', { endedBefore });
  }
}

function columns(record: JobRecord): Values {
  const { jobId, spec, state, priority, submittedAt, lease, reported } = record;
  return {
    jobId,
    state: state.kind,
    agentId: spec.agentId ?? null,
    priority,
    submittedAt,
    heldUntil: lease?.expiresAt ?? null,
    endedAt: state.kind === 'ended' ? state.at : null,
    reported: Number(reported),
    document: JSON.stringify(record),
  };
}
