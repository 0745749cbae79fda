import { expect, it } from 'vitest';

import {
  EventHub,
  runLineSchema,
  type RunLine,
  type SessionEvents,
  type SessionManager,
  type TurnInfo,
} from '../../src/index.ts';
import { followSession } from '../../src/job/job-lines.ts';

const turn: TurnInfo = {
  turnId: 't1',
  sessionId: 's1',
  state: { kind: 'running' },
  acceptedAt: 1,
  outputStart: 0,
  text: '',
  milestones: [{ kind: 'commit', hash: 'abc', offset: 3 }],
  percent: 40,
  evidence: [],
};

it('tells each event of its session once, and nothing after it is stopped', () => {
  const hub = new EventHub<SessionEvents>();
  const lines: RunLine[] = [];
  const on: SessionManager['on'] = (name, listener) => hub.on(name, listener);
  const stop = followSession({ on } as SessionManager, 's1', (line) => lines.push(runLineSchema.parse(line)));
  const flag = Buffer.from('é🙂');
  hub.emit('status', { sessionId: 'other', status: 'ready', at: 1 });
  hub.emit('output', { sessionId: 's1', offset: 0, bytes: flag.subarray(0, 2), at: 1 });
  hub.emit('output', { sessionId: 's1', offset: 2, bytes: flag.subarray(2), at: 2 });
  for (const change of ['started', 'milestone', 'progress', 'waiting', 'resumed', 'ended'] as const)
    hub.emit('turn', { sessionId: 's1', change, turn, at: 3 });
  hub.emit('turn', { sessionId: 's1', change: 'stalled', turn, forMs: 30_000, at: 4 });
  hub.emit('request', {
    request: { requestId: 'r1', sessionId: 's1', turnId: 't1', kind: 'question', askedAt: 5 },
    at: 5,
  });
  hub.emit('request', {
    request: { requestId: 'r2', sessionId: 's2', turnId: 't1', kind: 'question', askedAt: 5 },
    at: 5,
  });
  stop();
  hub.emit('status', { sessionId: 's1', status: 'ready', at: 9 });
  expect(lines.map(({ type }) => type)).toEqual(['output', 'output', 'milestone', 'progress', 'stalled', 'request']);
  expect(lines.flatMap((line) => (line.type === 'output' ? [line.text] : [])).join('')).toBe('é🙂');
  expect(lines[2]).toEqual({ type: 'milestone', at: 3, kind: 'commit', hash: 'abc', offset: 3 });
});
