import { failWith, hang, say, type AnswerRequest } from '@semo-office/testbed';

import { bash, family, type OpenSession, type RunningTurn } from '../kind.ts';
import { cancelled, completes, crashes, timesOut } from '../truth.ts';

const asked = (count: number) => async (turn: OpenSession) => {
  await turn.model.waitForRequest(() => turn.model.messages.length >= count);
};
const answered = (count: number) => async (turn: OpenSession) => {
  await turn.model.waitForRequest(
    () => turn.model.messages.filter(({ outcome }) => outcome.kind === 'answered').length >= count,
  );
};

type When = (turn: RunningTurn) => Promise<unknown>;

const cancelWhen = (when: When) => async (turn: RunningTurn) => {
  await when(turn);
  await turn.sessions.cancel(turn.sessionId);
};

const killWhen = (when: When, signal: NodeJS.Signals) => async (turn: RunningTurn) => {
  await when(turn);
  const info = await turn.sessions.get(turn.sessionId);
  process.kill(Number(info?.terminalId), signal);
};

const saysOnlySecond: AnswerRequest = ({ body }) =>
  JSON.stringify(body.messages).includes('Second.') ? say('The second is done.') : hang({ text: 'First' });

const longCommand = bash('echo begun; sleep 60; echo over');

/** Turns that are ended from outside. */
export const endingKinds = family('ending', [
  {
    name: 'cancelled before the first word',
    script: () => [hang()],
    truth: cancelled(),
    meanwhile: cancelWhen(asked(1)),
  },
  {
    name: 'cancelled in the middle of the words',
    script: () => [hang({ text: 'I am about to' })],
    truth: cancelled(),
    meanwhile: cancelWhen(asked(1)),
  },
  {
    name: 'cancelled while a command runs',
    script: () => [longCommand, hang()],
    truth: cancelled(),
    meanwhile: cancelWhen(answered(1)),
  },
  {
    name: 'cancelled between two answers',
    script: () => [bash('true'), hang()],
    truth: cancelled(),
    meanwhile: cancelWhen(asked(2)),
  },
  {
    name: 'cancelled while the agent waits to ask again',
    script: () => () => failWith(529, 'overloaded_error', { headers: { 'retry-after': '20' } }),
    truth: cancelled(),
    meanwhile: cancelWhen(asked(1)),
  },
  {
    name: 'cancelled while a background command runs',
    script: () => [bash('sleep 60', { run_in_background: true }), say('I wait for it.'), hang()],
    truth: cancelled(),
    meanwhile: cancelWhen(answered(2)),
  },
  {
    name: 'killed before the first word',
    script: () => [hang()],
    truth: crashes(),
    meanwhile: killWhen(asked(1), 'SIGKILL'),
  },
  {
    name: 'killed in the middle of the words',
    script: () => [hang({ text: 'I am about to say [SEMO:DONE]' })],
    truth: crashes(),
    meanwhile: killWhen(asked(1), 'SIGKILL'),
  },
  {
    name: 'killed while a command runs',
    script: () => [longCommand],
    truth: crashes(),
    meanwhile: killWhen(answered(1), 'SIGKILL'),
  },
  {
    name: 'asked to end by a signal',
    script: () => [hang()],
    truth: crashes(),
    meanwhile: killWhen(asked(1), 'SIGTERM'),
  },
  {
    name: 'out of time before the first word',
    script: () => [hang()],
    truth: timesOut(),
    options: { timeoutMs: 1500 },
  },
  {
    name: 'out of time while a command runs',
    script: () => [longCommand, hang()],
    truth: timesOut(),
    options: { timeoutMs: 2500 },
  },
  {
    name: 'terminated with its session',
    script: () => [hang()],
    truth: cancelled(),
    meanwhile: async (turn) => {
      await asked(1)(turn);
      await turn.sessions.terminate(turn.sessionId);
    },
  },
  {
    name: 'the turn after a cancelled one',
    prompt: 'Second.',
    script: () => saysOnlySecond,
    truth: completes('The second is done.', 1),
    before: async (session) => {
      await session.sessions.sendPrompt(session.sessionId, 'First.');
      await asked(1)(session);
      await session.sessions.cancel(session.sessionId);
    },
  },
  {
    name: 'the turn after a finished one',
    prompt: 'Second.',
    script: () => [say('The first is done. [SEMO:DONE]'), bash('true'), say('The second is done.')],
    truth: completes('The second is done.', 3),
    before: async ({ sessions, sessionId }) => {
      const { turnId } = await sessions.sendPrompt(sessionId, 'First.');
      await sessions.waitForTurn(sessionId, turnId);
    },
  },
]);
