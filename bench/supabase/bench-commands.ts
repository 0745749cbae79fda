import { newId, type Command } from '@semo-office/core';

/** Makes a session. */
export const creation = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: {
    kind: 'create_session',
    sessionId,
    spec: { sessionId, agent: { kind: 'command', command: ['true'] }, workspace: { kind: 'path', path: '/' } },
  },
});

/** Of the size of a short prompt. */
export const prompt = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: {
    kind: 'send_prompt',
    sessionId,
    turnId: newId('turn'),
    prompt: 'Make the test green. '.repeat(25),
    options: {},
  },
});

/** One key. */
export const keystroke = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: { kind: 'send_keystrokes', sessionId, keys: ['Enter'] },
});
