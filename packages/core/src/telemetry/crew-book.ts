import type { Attributes } from '@opentelemetry/api';

import type { AttemptRecord, JobRecord } from '../job/job-record.ts';
import { shownName } from './attributes.ts';

/** Who does what: remembers, while a job runs, which agent and role its attempts and turns belong to. */
export class CrewBook {
  readonly #jobs = new Map<string, Attributes>();
  readonly #turns = new Map<string, string>();

  /** A job has begun. */
  begin({ jobId, spec }: JobRecord): void {
    const agentId = spec.agentId ?? spec.session?.agentId;
    this.#jobs.set(jobId, agentId === undefined ? {} : { 'semo.agent.id': shownName(agentId) });
  }

  /** An attempt of it has; its role is known by then. */
  attempt(jobId: string, { turnId }: AttemptRecord, role: string | null): void {
    this.#turns.set(turnId, jobId);
    if (role !== null) this.#jobs.set(jobId, { ...this.#jobs.get(jobId), 'semo.role': shownName(role) });
  }

  /** Agent and role, as far as they are known. */
  ofJob(jobId: string): Attributes {
    return this.#jobs.get(jobId) ?? {};
  }

  /** The same, of a turn; nothing for one that belongs to no job. */
  ofTurn(turnId: string): Attributes {
    const jobId = this.#turns.get(turnId);
    return jobId === undefined ? {} : this.ofJob(jobId);
  }

  /** A job is over. */
  forget(jobId: string): void {
    this.#jobs.delete(jobId);
    for (const [turnId, of] of this.#turns) if (of === jobId) this.#turns.delete(turnId);
  }
}
