import type { TurnError } from '../monitor/evidence.ts';
import type { Notice } from '../notifier.ts';
import { redactedText } from '../policy/redaction.ts';
import type { JobResult } from './run-line.ts';

/** What people are told of a job that only they can help. Pure. */
export function jobNotice({
  jobId,
  result,
  error,
  at,
}: {
  readonly jobId: string;
  readonly result: Pick<JobResult, 'sessionId'>;
  readonly error: TurnError;
  readonly at: number;
}): Notice {
  const sentence = `Job ${jobId} needs a person: ${redactedText(error.message)}`;
  return { kind: 'job_needs_person', sentence, jobId, sessionId: result.sessionId, code: error.code, at };
}
