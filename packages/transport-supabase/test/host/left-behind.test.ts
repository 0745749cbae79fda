import { SemoError, errorToWire, type CommandResult } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { expect, it, vi } from 'vitest';

import { LeftBehind } from '../../src/host/left-behind.ts';

const refused = (code: 'session_unknown' | 'internal'): CommandResult => ({
  success: false,
  error: errorToWire(new SemoError(code, 'No.')),
});
const done: CommandResult = { success: true, result: null };

/** Sessions that were left behind, on a host that answers as told. */
function staged() {
  const answers = new Map<string, CommandResult>();
  const [ended, gone]: [string[], string[]] = [[], []];
  const problems: SemoError[] = [];
  const leftBehind = new LeftBehind({
    clock: new FakeClock(),
    onGone(event) {
      if (event.name === 'status') gone.push(event.sessionId);
    },
    onProblem: (problem) => problems.push(problem),
  });
  leftBehind.endBy(async ({ body }) => {
    const sessionId = body.kind === 'terminate' ? body.sessionId : '';
    ended.push(sessionId);
    return answers.get(sessionId) ?? done;
  });
  return { leftBehind, answers, ended, gone, problems };
}

it('ends each that was left behind once, and tells of it once, however often the host registers', async () => {
  const { leftBehind, answers, ended, gone, problems } = staged();
  answers.set('unknown', refused('session_unknown'));
  answers.set('stubborn', refused('internal'));
  leftBehind.add(['here', 'unknown', 'stubborn']);
  await vi.waitFor(() => expect(problems).toHaveLength(1));
  expect(gone).toEqual(['here', 'unknown']);
  answers.clear();
  leftBehind.add(['next']);
  await vi.waitFor(() => expect(gone).toEqual(['here', 'unknown', 'stubborn', 'next']));
  expect(ended).toEqual(['here', 'unknown', 'stubborn', 'stubborn', 'next']);
  // The office has not heard of it.
  leftBehind.add(['here']);
  await vi.waitFor(() => expect(gone.at(-1)).toBe('here'));
  expect(ended).toHaveLength(6);
});

it('ends one that comes to life later than it was given up', async () => {
  const { leftBehind, answers, ended, gone } = staged();
  answers.set('s1', refused('session_unknown'));
  leftBehind.add(['s1']);
  await vi.waitFor(() => expect(gone).toEqual(['s1']));
  answers.clear();
  for (const sessionId of ['s1', 's2']) leftBehind.see({ name: 'status', sessionId, status: 'creating', at: 0 });
  await vi.waitFor(() => expect(gone).toEqual(['s1', 's1']));
  leftBehind.add([]);
  expect(ended).toEqual(['s1', 's1']);
});
