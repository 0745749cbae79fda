import { describe, expect, it } from 'vitest';

import {
  SemoError,
  attemptSchema,
  base64ToBytes,
  bytesToBase64,
  errorFromWire,
  errorToWire,
  eventFromWire,
  eventToWire,
  outputSliceFromWire,
  outputSliceToWire,
  turnError,
  wireErrorSchema,
  wireEventSchema,
  wireOutputSliceSchema,
} from '../../src/index.ts';
import type { OutputSlice, SessionEvents } from '../../src/index.ts';

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('what travels', () => {
  it('keeps every byte', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(base64ToBytes(bytesToBase64(bytes))).toEqual(bytes);
    expect(base64ToBytes(bytesToBase64(bytes.subarray(100, 103)))).toEqual(Uint8Array.of(100, 101, 102));
  });

  it('carries when a limit resets', () => {
    const error = new SemoError('agent_rate_limited', 'Later.', { retryAt: 1_795_260_244_000 });
    const carried = errorFromWire(wireErrorSchema.parse(overJson(errorToWire(error))));
    expect(carried).toMatchObject({ code: 'agent_rate_limited', class: 'rate_limit', retryAt: 1_795_260_244_000 });
    const unknown = errorFromWire(wireErrorSchema.parse(overJson(errorToWire(new SemoError('closed', 'x')))));
    expect(unknown.retryAt).toBeUndefined();
    const told = turnError('agent_rate_limited', 'Later.', { retryAt: 7, limit: 'quota' });
    const attempt = {
      reason: 'first',
      sessionId: 's',
      turnId: 't',
      outcome: 'failed',
      startedAt: 1,
      endedAt: 2,
      error: told,
    };
    expect(attemptSchema.parse(overJson(attempt)).error).toEqual(told);
  });

  it('carries events there and back', () => {
    const output: SessionEvents['output'] = { sessionId: 's', offset: 3, bytes: Uint8Array.of(0, 255), at: 1 };
    expect(eventFromWire(wireEventSchema.parse(overJson(eventToWire('output', output))))).toEqual({
      name: 'output',
      event: output,
    });
    const resources: SessionEvents['resources'] = { sessionId: 's', pssBytes: 1, cpuMs: 2, processes: 3, at: 1 };
    expect(eventFromWire(wireEventSchema.parse(overJson(eventToWire('resources', resources))))).toEqual({
      name: 'resources',
      event: resources,
    });
    const exit: SessionEvents['exit'] = { sessionId: 's', code: null, signal: 'SIGTERM', at: 1 };
    expect(eventFromWire(wireEventSchema.parse(overJson(eventToWire('exit', exit))))).toEqual({
      name: 'exit',
      event: exit,
    });
  });

  it.each<OutputSlice>([
    { as: 'raw', from: 0, next: 2, start: 0, end: 2, bytes: Uint8Array.of(0, 255) },
    { as: 'text', from: 0, next: 2, start: 0, end: 2, text: 'é' },
    { as: 'screen', from: 0, next: 2, start: 0, end: 2, lines: ['é'], cursor: { column: 1, row: 0 } },
  ])('carries output as $as there and back', (slice) => {
    expect(outputSliceFromWire(wireOutputSliceSchema.parse(overJson(outputSliceToWire(slice))))).toEqual(slice);
  });
});
