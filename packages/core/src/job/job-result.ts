import { SemoError } from '../errors.ts';
import type { WorkspaceInfo } from '../session/workspace.ts';
import { addUsage, type TurnUsage } from '../monitor/usage.ts';
import { verdictOf } from './attempt-verdict.ts';
import type { AttemptEnd } from './attempt.ts';
import { endedAttempts } from './job-transition.ts';
import type { AttemptRecord, JobRecord } from './job-record.ts';
import type { JobResult } from './run-line.ts';

/** What a job came to, from its last attempt and all before. Pure. */
export function jobResult({
  record,
  end,
  verdict,
  workspace,
  startedAt,
  endedAt,
}: {
  readonly record: JobRecord;
  /** The last attempt; `null`: there was none. */
  readonly end: AttemptEnd | null;
  /** What overrules it. */
  readonly verdict: ReturnType<typeof verdictOf> | null;
  /** Where its last session worked, as that is now. */
  readonly workspace: WorkspaceInfo | null;
  readonly startedAt: number;
  readonly endedAt: number;
}): JobResult {
  const { outcome, confidence, error } =
    verdict ?? end ?? verdictOf(new SemoError('internal', 'The job has neither an attempt nor an error.'));
  const before = end === null ? record.attempts : record.attempts.filter(({ number }) => number !== end.attempt.number);
  const all = end === null ? before : [...before, end.attempt];
  return {
    outcome,
    confidence,
    text: end?.turn?.text ?? '',
    milestones: end?.turn?.milestones ?? [],
    evidence: end?.turn?.evidence ?? [],
    attempts: endedAttempts(all),
    sessionId: end?.attempt.sessionId ?? record.spec.session?.sessionId ?? '',
    conversationId: end?.attempt.conversationId ?? null,
    workspace,
    durationMs: endedAt - startedAt,
    usage: usageOf(all),
    error,
  };
}

function usageOf(attempts: readonly AttemptRecord[]): TurnUsage | null {
  return attempts.reduce<TurnUsage | null>((sum, { usage = null }) => addUsage(sum, usage), null);
}
