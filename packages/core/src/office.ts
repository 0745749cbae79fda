import { systemClock, type Clock } from './clock.ts';
import { SemoError } from './errors.ts';
import type { JobSpec } from './job/job.ts';
import { executeJob, type ExecuteOptions } from './job/orchestrator.ts';
import type { JobResult } from './job/run-line.ts';
import { openRequestDesk, type RequestAnswerers } from './policy/request-desk.ts';
import type { SessionManager } from './session/session-manager.ts';

/** The parts an office is made of. */
export interface OfficeOptions {
  /** Where sessions run: here, or on hosts elsewhere. The office closes it when it closes. */
  readonly sessions: SessionManager;
  /**
   * Who answers what agents ask, of every request of these sessions. Default: only whoever calls
   * `sessions.answerRequest`.
   */
  readonly requests?: RequestAnswerers | undefined;
  /** Default: the machine's own time. */
  readonly clock?: Clock | undefined;
}

/** Gives jobs to agents. */
export interface Office {
  /** The sessions the office works with, for whoever wants to look closer. */
  readonly sessions: SessionManager;
  /**
   * Runs one job from beginning to end. How it ended is the result's outcome; only a job that could not begin throws.
   * @throws SemoError `invalid_argument`, `invalid_prompt`, `prompt_too_long`, `closed`.
   */
  executeJob(job: JobSpec, options?: ExecuteOptions): Promise<JobResult>;
  /** Cancels what runs and lets go of the sessions. */
  close(): Promise<void>;
}

/**
 * An office over any sessions.
 *
 * @throws SemoError `invalid_argument`: a rule for requests that is none, or whose pattern cannot be used.
 *
 * @example
 * ```ts
 * const office = createOffice({ sessions: createPtySessionManager() });
 * const { outcome, text } = await office.executeJob({
 *   prompt: 'Add a health endpoint and commit.',
 *   session: { agent: { kind: 'claude', permissionMode: 'acceptEdits' }, workspace: { kind: 'path', path: '.' } },
 * });
 * await office.close();
 * ```
 */
export function createOffice({ sessions, requests, clock = systemClock }: OfficeOptions): Office {
  const desk = requests === undefined ? null : openRequestDesk({ ...requests, sessions, clock });
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    sessions,
    async executeJob(job, options = {}) {
      if (closing.signal.aborted) throw new SemoError('closed', 'The office is closed. Create a new one.');
      const signal = options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal]);
      const work = executeJob({ sessions, clock, job, options: { ...options, signal } });
      running.add(work);
      try {
        return await work;
      } finally {
        running.delete(work);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
      desk?.close();
      await sessions.close();
    },
  };
}
