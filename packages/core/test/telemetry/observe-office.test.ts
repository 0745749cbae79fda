import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';

import {
  EventHub,
  memoryJobStore,
  type JobEvents,
  type Office,
  type OfficeStatus,
  type SessionEvents,
  type SessionInfo,
} from '../../src/index.ts';
import { job, observedOffice } from './observed-office.ts';

const SECRET = 'sk-ant-REDACTED';
const idle = { opening: 0, warmIdle: 0, coldIdle: 0, inUse: 0, ending: 0, waiting: 0 };

describe('an observed job', () => {
  it('is a span with its attempt and turn in it, and tells what it used', async () => {
    await using observed = observedOffice();
    const result = await observed.office.executeJob(job('usage 100 20: 0.5\nsay: hello', { jobId: 'job-1' }));
    expect(result.usage).toEqual({
      inputTokens: 100,
      outputTokens: 20,
      cacheReadTokens: 0,
      cacheCreationTokens: 0,
      costUsd: 0.5,
    });
    const [whole] = observed.spans('semo.job');
    const [attempt] = observed.spans('semo.attempt');
    const [turn] = observed.spans('semo.turn');
    expect(whole!.parentSpanContext).toBeUndefined();
    expect(attempt!.parentSpanContext?.spanId).toBe(whole!.spanContext().spanId);
    expect(turn!.parentSpanContext?.spanId).toBe(attempt!.spanContext().spanId);
    expect(whole!.attributes).toMatchObject({
      'semo.job.id': 'job-1',
      'semo.agent.id': 'FE-1',
      'semo.role': 'FE-1',
      'semo.outcome': 'completed',
      'semo.job.attempts': 1,
      'semo.tokens.input': 100,
      'semo.cost.usd': 0.5,
    });
    const { sessionId, turnId } = result.attempts[0]!;
    expect(attempt!.attributes).toMatchObject({ 'semo.attempt.reason': 'first', 'semo.session.id': sessionId });
    expect(turn!.attributes).toMatchObject({ 'semo.turn.id': turnId, 'semo.decided_by': 'agent_end' });
    expect(whole!.status.code).toBe(SpanStatusCode.OK);
  });

  it('tells what it used once, where its agent tells that only after its end', async () => {
    await using observed = observedOffice();
    const { usage } = await observed.office.executeJob(job('late 100 20\nsay: hello'));
    expect(usage).toMatchObject({ inputTokens: 100, outputTokens: 20 });
    for (const name of ['semo.job', 'semo.turn']) {
      const [span, ...more] = observed.spans(name);
      expect(span!.attributes).toMatchObject({ 'semo.outcome': 'completed', 'semo.tokens.input': 100 });
      expect(more).toEqual([]);
    }
    const input = { 'semo.token.type': 'input' };
    expect(await observed.points('semo.turn.tokens')).toContainEqual(
      expect.objectContaining({ value: 100, attributes: expect.objectContaining(input) }),
    );
    expect(await observed.points('semo.turn.duration')).toMatchObject([{ value: 1 }]);
  });

  it('that fails is counted with its error, and its spans say so', async () => {
    await using observed = observedOffice();
    await observed.office.executeJob(job('say: hello'));
    await observed.office.executeJob(job('fail: no way'));
    expect(await observed.points('semo.job.ended')).toMatchObject([
      { value: 1, attributes: { 'semo.outcome': 'completed', 'semo.role': 'FE-1' } },
      { value: 1, attributes: { 'semo.outcome': 'failed', 'error.type': 'agent_failed' } },
    ]);
    const failed = observed.spans('semo.job').at(-1)!;
    expect(failed.status).toEqual({ code: SpanStatusCode.ERROR, message: 'agent_failed' });
    expect(failed.events).toMatchObject([{ name: 'error', attributes: { 'error.type': 'agent_failed' } }]);
    for (const name of ['semo.job.duration', 'semo.attempt.duration', 'semo.turn.duration'])
      expect((await observed.points(name)).reduce((sum, { value }) => sum + value, 0)).toBe(2);
    expect(await observed.points('semo.job.started')).toMatchObject([{ value: 2 }]);
    expect(await observed.points('semo.session.wait.duration')).toMatchObject([{ value: 2 }]);
  });

  it('adds up the tokens and the cost of its attempts', async () => {
    await using observed = observedOffice();
    const result = await observed.office.executeJob(job('usage 10 5: 0.25\ncrash'));
    expect(result.usage).toBeNull();
    await observed.office.executeJob(job('usage 10 5: 0.25\nsay: x'));
    await observed.office.executeJob(job('usage 1 2: 0.5\nsay: x'));
    const tokens = await observed.points('semo.turn.tokens');
    expect(tokens).toContainEqual(
      expect.objectContaining({ value: 11, attributes: expect.objectContaining({ 'semo.token.type': 'input' }) }),
    );
    expect(await observed.points('semo.turn.cost')).toMatchObject([{ value: 0.75 }]);
  });

  it('has each attempt in it, with what it waited for', async () => {
    await using observed = observedOffice({ backoff: { firstMs: 1, longestMs: 2 } });
    const { attempts } = await observed.office.executeJob(job('crash'));
    expect(attempts.length).toBeGreaterThan(1);
    const spans = observed.spans('semo.attempt');
    expect(spans.map(({ attributes }) => attributes['semo.attempt.number'])).toEqual(attempts.map((_, at) => at));
    expect(spans.map(({ attributes }) => attributes['semo.attempt.reason'])).toEqual(
      attempts.map(({ reason }) => reason),
    );
    expect(observed.spans('semo.job')[0]!.attributes['semo.job.attempts']).toBe(attempts.length);
    const counted = await observed.points('semo.attempt.duration');
    expect(counted.reduce((sum, { value }) => sum + value, 0)).toBe(attempts.length);
  });

  it('that is left to another office ends its spans without an outcome', async () => {
    const jobs = memoryJobStore();
    await using observed = observedOffice({ jobs });
    const left = new Promise<JobEvents['left']>((resolve) => observed.office.on('left', resolve));
    const accepted = new Promise<void>((resolve) =>
      observed.office.on('attempt', ({ attempt }) => attempt.delivery === 'accepted' && resolve()),
    );
    await observed.office.submitJob(job('hang', { jobId: 'job-2' }));
    await accepted;
    await observed.office.close({ running: 'leave' });
    expect(await left).toEqual({ jobId: 'job-2' });
    const [whole] = observed.spans('semo.job');
    expect(whole!.attributes).toMatchObject({ 'semo.job.left': true });
    expect(whole!.attributes).not.toHaveProperty('semo.outcome');
    expect(observed.spans('semo.attempt')).toHaveLength(1);
    expect(await observed.points('semo.job.submitted')).toMatchObject([{ value: 1 }]);
  });

  it('tells no prompt, answer, error message or secret', async () => {
    await using observed = observedOffice();
    const names = { jobId: 'job-3', session: { ...job('').session!, agentId: `token=${SECRET}` } };
    await observed.office.executeJob(job(`say: the kumquat is ${SECRET}`, names));
    await observed.office.executeJob(job(`fail: the kumquat broke ${SECRET}`));
    const told = await observed.told();
    expect(told).toContain('job-3');
    expect(told).not.toContain('kumquat');
    expect(told).not.toContain(SECRET);
  });

  it('is told of no more once observing has been stopped', async () => {
    await using observed = observedOffice();
    observed.stop();
    await observed.office.executeJob(job('say: x'));
    expect(observed.spans('semo.job')).toEqual([]);
    expect(await observed.points('semo.job.started')).toEqual([]);
  });
});

describe('requests and breakers', () => {
  it('are counted, and those that wait are shown', async () => {
    await using observed = observedOffice();
    const request = new Promise<string>((resolve) =>
      observed.sessions.on('request', ({ request: { requestId } }) => resolve(requestId)),
    );
    const running = observed.office.executeJob(job('ask: Bash'));
    const requestId = await request;
    expect(await observed.points('semo.request.open')).toMatchObject([{ value: 1 }]);
    expect(await observed.points('semo.session.count')).toContainEqual({
      value: 1,
      attributes: { 'semo.session.status': 'waiting_input' },
    });
    await observed.sessions.answerRequest(requestId, { behavior: 'allow' });
    await running;
    expect(await observed.points('semo.request.open')).toMatchObject([{ value: 0 }]);
    expect(await observed.points('semo.request.asked')).toMatchObject([
      { value: 1, attributes: { 'semo.request.kind': 'permission', 'semo.role': 'FE-1' } },
    ]);
    expect(await observed.points('semo.request.wait.duration')).toMatchObject([
      { attributes: { 'semo.request.end': 'answered' } },
    ]);
  });

  it('tell of a breaker that opens, and of jobs that wait for it', async () => {
    const { SemoError } = await import('../../src/index.ts');
    const { createScriptedSessions } = await import('../../testing/index.ts');
    const sessions = createScriptedSessions();
    const broken = Object.assign(Object.create(sessions) as typeof sessions, {
      create: () => Promise.reject(new SemoError('agent_start_failed', 'Sorry.')),
      on: sessions.on.bind(sessions),
      list: sessions.list.bind(sessions),
      listRequests: sessions.listRequests.bind(sessions),
      close: sessions.close.bind(sessions),
    });
    await using observed = observedOffice({
      sessions: broken,
      breakers: { host: { failureThreshold: 1 } },
      backoff: { firstMs: 1, longestMs: 2 },
    });
    const waiting = new Promise<JobEvents['waiting']>((resolve) =>
      observed.office.on('waiting', (event) => event.wait.for === 'host' && resolve(event)),
    );
    const controller = new AbortController();
    const running = observed.office.executeJob(job('say: x'), { signal: controller.signal });
    await waiting;
    expect(await observed.points('semo.breaker.changes')).toMatchObject([
      { value: 1, attributes: { 'semo.breaker.name': 'host', 'semo.breaker.state': 'open' } },
    ]);
    expect(await observed.points('semo.breaker.state')).toContainEqual({
      value: 1,
      attributes: { 'semo.breaker.name': 'host', 'semo.breaker.state': 'open' },
    });
    expect(await observed.points('semo.job.running')).toContainEqual({
      value: 1,
      attributes: { 'semo.wait.for': 'host' },
    });
    controller.abort();
    await running;
    expect(observed.spans('semo.job')[0]!.events).toContainEqual(
      expect.objectContaining({ name: 'waiting', attributes: expect.objectContaining({ 'semo.wait.for': 'host' }) }),
    );
  });
});

describe('the gauges of a pool', () => {
  const row = { key: 'a', role: 'FE', target: 1, ...idle };
  const status: OfficeStatus = {
    running: [],
    pool: {
      ...idle,
      waiting: 3,
      max: 6,
      oldestWaitMs: 1500,
      rows: [
        { ...row, warmIdle: 1, waiting: 1 },
        { ...row, key: 'b', inUse: 2, waiting: 2 },
      ],
      totals: { handedOut: { warm: 4, idle: 1, cold: 2 }, opened: 7, failed: 1, recycled: 3, reaped: 2 },
    },
    breakers: [],
  };

  it('add up the keys of a role', async () => {
    await using observed = observedOffice({}, (office) => ({ ...office, status: async () => status }));
    const role = { 'semo.role': 'FE' };
    const pooled = await observed.points('semo.pool.sessions');
    expect(pooled).toContainEqual({ value: 1, attributes: { ...role, 'semo.pool.state': 'warm_idle' } });
    expect(pooled).toContainEqual({ value: 2, attributes: { ...role, 'semo.pool.state': 'in_use' } });
    expect(await observed.points('semo.pool.waiting')).toEqual([{ value: 3, attributes: role }]);
    expect(await observed.points('semo.pool.target')).toEqual([{ value: 2, attributes: role }]);
    expect(await observed.points('semo.pool.max')).toMatchObject([{ value: 6 }]);
    expect(await observed.points('semo.pool.oldest_wait')).toMatchObject([{ value: 1.5 }]);
    expect(await observed.points('semo.pool.handed_out')).toContainEqual({
      value: 4,
      attributes: { 'semo.pool.source': 'warm' },
    });
    expect(await observed.points('semo.pool.events')).toContainEqual({
      value: 7,
      attributes: { 'semo.pool.event': 'opened' },
    });
  });

  it('go down to 0 for a role that is gone', async () => {
    let rows = status.pool.rows;
    const shown = (office: Office): Office => ({
      ...office,
      status: async () => ({ ...status, pool: { ...status.pool, rows } }),
    });
    await using observed = observedOffice({}, shown);
    expect(await observed.points('semo.pool.target')).toMatchObject([{ value: 2 }]);
    rows = [];
    expect(await observed.points('semo.pool.target')).toMatchObject([{ value: 0 }]);
  });

  it('say nothing of who cannot be asked, and all the rest', async () => {
    await using observed = observedOffice({}, (office) => ({
      ...office,
      status: () => Promise.reject(new Error('Gone.')),
    }));
    expect(await observed.points('semo.pool.max')).toEqual([]);
    expect(await observed.points('semo.request.open')).toMatchObject([{ value: 0 }]);
  });
});

describe('the gauges of sessions', () => {
  it('show what each uses, as long as it lives', async () => {
    const hub = new EventHub<SessionEvents>();
    const sessionId = 'ses_a';
    let living = [{ sessionId, status: 'ready' }] as SessionInfo[];
    const shown = (office: Office): Office => ({
      ...office,
      sessions: {
        ...office.sessions,
        on: (name, listener) => hub.on(name, listener),
        list: async () => living,
        listRequests: async () => [],
      },
    });
    await using observed = observedOffice({}, shown);
    hub.emit('resources', { sessionId, pssBytes: 4096, cpuMs: 1500, processes: 2, at: 1 });
    const attributes = { 'semo.session.id': sessionId };
    expect(await observed.points('semo.session.memory')).toEqual([{ value: 4096, attributes }]);
    expect(await observed.points('semo.session.cpu.time')).toEqual([{ value: 1.5, attributes }]);
    expect(await observed.points('semo.session.processes')).toEqual([{ value: 2, attributes }]);
    const ready = (value: number) => ({ value, attributes: { 'semo.session.status': 'ready' } });
    expect(await observed.points('semo.session.count')).toContainEqual(ready(1));
    living = [];
    expect(await observed.points('semo.session.memory')).toEqual([{ value: 0, attributes }]);
    expect(await observed.points('semo.session.count')).toContainEqual(ready(0));
  });
});
