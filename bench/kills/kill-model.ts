import { join } from 'node:path';
import { promptTexts, say, useTool, type ModelRequest, type ModelStep } from '@semo-office/testbed';

/** How long one tool takes. */
const STEP_MS = 1500;
/** Begins what an agent is told when an attempt came before. */
const WAS_CUT_SHORT = /^(The last attempt at this job|This job is to be gone on with)/;

/** The prompt of a job; its number is found again in everything that reaches the model. */
export const promptOf = (jobId: string): string => `JOB ${jobId}: write your line, commit, and say that it is done.`;

/** The jobs whose prompt a text is. */
const jobOf = (text: string): string | null => /\bJOB (job-\d+):/.exec(text)?.[1] ?? null;

/** One prompt that has reached the model. */
export interface Arrival {
  readonly jobId: string;
  readonly conversation: string;
  /** Told as if nothing had come before. */
  readonly isFresh: boolean;
}

/** Every prompt that has reached the model, once for each time it stands in a conversation. */
export function arrivals(requests: readonly ModelRequest[]): Arrival[] {
  const fullest = new Map<string, readonly Arrival[]>();
  for (const request of requests) {
    const { conversation } = request;
    const told = promptTexts(request).flatMap((text) => {
      const jobId = jobOf(text);
      return jobId === null ? [] : [{ jobId, conversation, isFresh: !WAS_CUT_SHORT.test(text) }];
    });
    if (told.length > (fullest.get(conversation)?.length ?? 0)) fullest.set(conversation, told);
  }
  return [...fullest.values()].flat();
}

/** A model that writes its line, and then looks at it for a while. Whoever is told that an attempt came before looks first, as it is asked to. */
export function killModel({
  journals,
  workMs,
}: {
  readonly journals: string;
  readonly workMs: number;
}): (request: ModelRequest) => ModelStep {
  const steps = Math.ceil(workMs / STEP_MS);
  return (request) => {
    const prompt = promptTexts(request).findLast((text) => jobOf(text) !== null) ?? '';
    const jobId = jobOf(prompt);
    if (jobId === null) return say('Nothing to do.');
    const done = toolResultsSince(request, prompt);
    if (done === 0)
      return useTool('Bash', { command: workOf(jobId, join(journals, jobId), WAS_CUT_SHORT.test(prompt)) });
    if (done < steps) return useTool('Bash', { command: `sleep ${STEP_MS / 1000}; echo checked ${done}` });
    return say(`${jobId} is done.`, { pace: { bytesPerChunk: 4, delayMs: 60 } });
  };
}

function workOf(jobId: string, journal: string, looksFirst: boolean): string {
  const write = `echo done >> ${journal}`;
  const commit = `echo ${jobId} > ${jobId}.txt; git add -A; git -c user.name=a -c user.email=a@example.com commit -qm ${jobId} || true`;
  return `sleep ${STEP_MS / 1000}; ${looksFirst ? `test -s ${journal} || ${write}` : write}; ${commit}`;
}

/** How many tools have answered since the newest prompt. */
function toolResultsSince({ body }: ModelRequest, prompt: string): number {
  const holds = (content: unknown): boolean => JSON.stringify(content).includes(JSON.stringify(prompt).slice(1, -1));
  const since = body.messages.findLastIndex(({ role, content }) => role === 'user' && holds(content));
  return body.messages
    .slice(since)
    .flatMap(({ role, content }) => (role === 'user' && typeof content !== 'string' ? content : []))
    .filter(({ type }) => type === 'tool_result').length;
}
