import type { JobResult, JobSpec, Office } from '@semo-office/core';
import { promptTexts, say, type ModelRequest, type ModelStep } from '@semo-office/testbed';

/** What the agent is asked, and by which number its answer is known. */
export const promptOf = (number: number): string => `This is job number ${number}. Say its number.`;

const answerOf = (number: number): string => `The number of this job is ${number}.`;

/** The number a conversation is about: that of its newest prompt. */
function numberOf(request: ModelRequest): number | null {
  const found = [
    ...promptTexts(request)
      .join('\n')
      .matchAll(/This is job number (\d+)\./g),
  ].at(-1)?.[1];
  return found === undefined ? null : Number(found);
}

/** Says the number. */
export function answer(request: ModelRequest): ModelStep {
  const number = numberOf(request);
  return say(number === null ? 'There is no number.' : answerOf(number));
}

/**
 * Answers nobody until so many conversations ask at once, wave after wave: then all of them have been at work together.
 */
export function answerTogether(count: number): (request: ModelRequest) => Promise<ModelStep> {
  let asking = new Set<number | null>();
  let wave = Promise.withResolvers<void>();
  return async (request) => {
    asking.add(numberOf(request));
    const { promise, resolve } = wave;
    if (asking.size === count) {
      asking = new Set();
      wave = Promise.withResolvers();
      resolve();
    }
    await promise;
    return answer(request);
  };
}

/** What came of a wave of jobs. */
export interface Wave {
  readonly right: number;
  readonly wrong: readonly string[];
  readonly ms: number;
  readonly sessions: readonly string[];
}

/** Gives the office so many jobs at once and waits for all of them. */
export async function runWave(
  office: Office,
  { first, count, job }: { first: number; count: number; job: (number: number) => JobSpec },
): Promise<Wave> {
  const startedAt = performance.now();
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  const results = await Promise.all(numbers.map((number) => office.executeJob(job(number))));
  const wrong = results.flatMap((result, index) => problem(result, numbers[index] ?? -1) ?? []);
  const ms = performance.now() - startedAt;
  return { right: count - wrong.length, wrong, ms, sessions: results.map(({ sessionId }) => sessionId) };
}

function problem({ outcome, text, error }: JobResult, number: number): string | null {
  if (outcome === 'completed' && text.includes(answerOf(number))) return null;
  return `job ${number}: ${outcome} ${error?.code ?? ''} ${error?.message ?? ''} ${JSON.stringify(text.slice(0, 200))}`;
}
