import { describe, expect, it } from 'vitest';

import {
  SemoError,
  commandSchema,
  errorFromWire,
  errorToWire,
  laneOf,
  wireErrorSchema,
  type CommandBody,
} from '../../src/index.ts';

describe('commands', () => {
  it('fills in defaults on arrival', () => {
    const parsed = commandSchema.parse({
      commandId: 'c1',
      body: { kind: 'send_prompt', sessionId: 's', turnId: 't', prompt: 'x', options: {} },
    });
    expect(parsed.body).toMatchObject({ options: { timeoutMs: 600_000, onNeedsPerson: 'wait', silenceMs: 30_000 } });
  });

  it.each([
    { commandId: 'c1', body: { kind: 'dance' } },
    { commandId: '../c1', body: { kind: 'cancel', sessionId: 's' } },
    { body: { kind: 'cancel', sessionId: 's' } },
    { commandId: 'c1', body: { kind: 'resize', sessionId: 's', size: { cols: 0, rows: 1 } } },
    null,
  ])('refuses what is none: %j', (value) => {
    expect(commandSchema.safeParse(value).success).toBe(false);
  });

  it('keeps prompts in order and lets the rest overtake', () => {
    const kinds: CommandBody['kind'][] = ['create_session', 'send_prompt', 'reset', 'assign_workspace'];
    expect(kinds.map((kind) => laneOf({ kind }))).toEqual(kinds.map(() => 'turn'));
    const overtaking: CommandBody['kind'][] = [
      'cancel',
      'terminate',
      'get_output',
      'answer_request',
      'send_keystrokes',
      'send_text',
      'get_turn',
    ];
    expect(new Set(overtaking.map((kind) => laneOf({ kind })))).toEqual(new Set(['control']));
  });

  it('carries errors as facts, without stack or cause', () => {
    const error = new SemoError('output_dropped', 'gone', {
      details: { start: 5 },
      class: 'capacity',
      retryable: true,
      cause: new Error('secret'),
    });
    const wire = wireErrorSchema.parse(JSON.parse(JSON.stringify(errorToWire(error))));
    expect(Object.keys(wire).sort()).toEqual(['class', 'code', 'details', 'message', 'retryable']);
    expect(errorFromWire(wire)).toMatchObject({
      code: 'output_dropped',
      class: 'capacity',
      message: 'gone',
      retryable: true,
      details: { start: 5 },
    });
    expect(errorToWire(new Error('bug'))).toMatchObject({ code: 'internal', message: 'bug' });
  });
});
