import type { HumanAnswer } from '@semo-office/core';
import { say, useTool } from '@semo-office/testbed';

import { nextRequest } from '../answering.ts';
import { bash, family } from '../kind.ts';
import { cancelled, completes, needsPerson } from '../truth.ts';

const touch = bash('touch allowed');
const question = useTool('AskUserQuestion', {
  questions: [
    {
      question: 'Which colour?',
      header: 'Colour',
      multiSelect: false,
      options: [
        { label: 'Red', description: 'Like a brick' },
        { label: 'Blue', description: 'Like the sea' },
      ],
    },
  ],
});
const allow: HumanAnswer = { behavior: 'allow' };

/** Turns that wait for a person. */
export const peopleKinds = family('people', [
  {
    name: 'leave is asked for and given',
    script: () => [touch, say('It is touched.')],
    truth: completes('It is touched.', 2),
    permissionMode: 'default',
    answers: [allow],
  },
  {
    name: 'leave is asked for and refused',
    script: () => [touch, say('Then I will not.')],
    truth: completes('Then I will not.', 2),
    permissionMode: 'default',
    answers: [{ behavior: 'deny', message: 'Not this one.' }],
  },
  {
    name: 'leave is asked for twice',
    script: () => [touch, bash('touch another'), say('Both are touched.')],
    truth: completes('Both are touched.', 3),
    permissionMode: 'default',
    answers: [allow, allow],
  },
  {
    name: 'nobody is there to give leave',
    script: () => [touch, say('Never said.')],
    truth: needsPerson(),
    permissionMode: 'default',
    options: { onNeedsPerson: 'interrupt' },
  },
  {
    name: 'a question is answered',
    script: () => [question, say('Blue it is.')],
    truth: completes('Blue it is.', 2),
    answers: [{ behavior: 'allow', updatedInput: { answers: { 'Which colour?': 'Blue' } } }],
  },
  {
    name: 'nobody is there to answer a question',
    script: () => [question, say('Never said.')],
    truth: needsPerson(),
    options: { onNeedsPerson: 'interrupt' },
  },
  {
    name: 'cancelled while it waits for leave',
    script: () => [touch, say('Never said.')],
    truth: cancelled(),
    permissionMode: 'default',
    meanwhile: async (turn) => {
      await nextRequest(turn);
      await turn.sessions.cancel(turn.sessionId);
    },
  },
  {
    name: 'a tool that is not allowed, and nobody is asked',
    script: () => [touch, say('I was not allowed to.')],
    truth: completes('I was not allowed to.', 2),
    permissionMode: 'dontAsk',
  },
  {
    name: 'the wait for a person does not count as time of the turn',
    script: () => [touch, say('In good time.')],
    truth: completes('In good time.', 2),
    permissionMode: 'default',
    options: { timeoutMs: 20_000 },
    answers: [allow],
  },
]);
