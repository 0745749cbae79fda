import { failWith, say, type AnswerRequest, type ModelStep } from '@semo-office/testbed';

import { delegating } from '../delegation.ts';
import { bash, family, plainKind } from '../kind.ts';
import { completes } from '../truth.ts';

const GIT = 'git -c user.name=A -c user.email=a@b.example';
const work = bash('printf worked > work.txt');
const inBackground = (command: string): ModelStep => bash(command, { run_in_background: true });

/** Puts a command into the background in its first turn, and works a little in its second. */
const leavesOneRunning: AnswerRequest = ({ body }) => {
  const conversation = JSON.stringify(body.messages);
  if (!conversation.includes('"tool_result"')) return inBackground('sleep 60');
  if (!conversation.includes('Second.')) return say('It runs on.');
  return conversation.includes('work.txt') ? say('The second is done.') : work;
};

/** Work that goes on when the agent has stopped speaking. */
export const backgroundKinds = family('background', [
  plainKind('a background command wakes the agent', [
    inBackground('sleep 0.7'),
    say('I wait for it.'),
    say('It has ended, and so have I.'),
  ]),
  plainKind('a background command that fails', [
    inBackground('sleep 0.7; exit 3'),
    say('I wait for it.'),
    say('It failed, which is fine.'),
  ]),
  plainKind('a background command that prints the marker', [
    inBackground('sleep 0.5; echo "[SEMO:DONE]"; echo "All tests passed"; sleep 0.3'),
    say('I wait for it.'),
    say('It printed something.'),
  ]),
  plainKind('a background command that ends while the agent speaks', [
    inBackground('sleep 0.3'),
    say('I say this slowly enough for it to end meanwhile.', { pace: { bytesPerChunk: 4, delayMs: 120 } }),
    say('And so it has.'),
  ]),
  plainKind('a background command that ends while the agent works', [
    inBackground('sleep 0.2'),
    bash('sleep 1; true'),
    work,
    say('It ended long ago.'),
  ]),
  plainKind('more work after a background command', [
    inBackground('sleep 0.7'),
    say('I wait for it.'),
    work,
    say('Worked on what it left.'),
  ]),
  plainKind('one after the other', [
    inBackground('sleep 0.7'),
    say('I wait for the first.'),
    inBackground('sleep 0.7'),
    say('I wait for the second.'),
    say('Both have ended.'),
  ]),
  {
    name: 'what an earlier turn has left running',
    prompt: 'Second.',
    script: () => leavesOneRunning,
    truth: completes('The second is done.', 4),
    before: async ({ sessions, sessionId }) => {
      const { turnId } = await sessions.sendPrompt(sessionId, 'First.', { endWithBackgroundTasks: true });
      await sessions.waitForTurn(sessionId, turnId);
    },
  },
  {
    name: 'what a cancelled turn has left running',
    prompt: 'Second.',
    script: () => leavesOneRunning,
    truth: completes('The second is done.', 4),
    before: async ({ sessions, sessionId, model }) => {
      await sessions.sendPrompt(sessionId, 'First.');
      await model.waitForRequest(() => model.messages.filter(({ outcome }) => outcome.kind === 'answered').length >= 2);
      await sessions.cancel(sessionId);
    },
  },
  {
    name: 'the end without waiting, where that is asked for',
    script: () => [inBackground('sleep 20'), say('It runs on.')],
    truth: completes('It runs on.', 2),
    options: { endWithBackgroundTasks: true },
  },
]);

/** Work that is handed on. */
export const subagentKinds = family('subagent', [
  {
    name: 'a subagent that works',
    ...delegating({
      tasks: ['Work.'],
      subagent: [work, say('Worked for you.')],
      afterwards: [say('The helper worked.')],
    }),
  },
  {
    name: 'a subagent, then work of its own',
    ...delegating({
      tasks: ['Work.'],
      subagent: [work, say('Mine is done.')],
      afterwards: [work, work, say('Three pieces of work.')],
    }),
  },
  {
    name: 'a subagent that commits',
    ...delegating({
      tasks: ['Commit.'],
      subagent: [bash(`git init -qb main && ${GIT} commit --allow-empty -m one`), say('Committed.')],
      afterwards: [say('The helper committed.')],
      milestones: ['commit'],
    }),
  },
  {
    name: 'a subagent whose model fails',
    ...delegating({
      tasks: ['Fail.'],
      subagent: () => failWith(400, 'invalid_request_error'),
      afterwards: [say('The helper could not.')],
    }),
  },
  {
    name: 'a subagent that is slow',
    ...delegating({
      tasks: ['Slowly.'],
      subagent: [bash('sleep 0.7; true'), say('Here I am again.')],
      afterwards: [say('The helper has come back.')],
    }),
  },
  {
    name: 'two subagents, one after the other',
    ...delegating({
      tasks: ['One.', 'Two.'],
      subagent: () => say('I am done.'),
      afterwards: [say('Both helpers are done.')],
    }),
  },
]);
