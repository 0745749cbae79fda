import { describe, expect, it } from 'vitest';

import { createScriptedSessions, expectError, FakeClock } from '../../testing/index.ts';
import { createOffice, runLineSchema, type JobSpec, type RunLine, type SessionManager } from '../../src/index.ts';

const job = (prompt: string, more: Partial<JobSpec> = {}): JobSpec => ({
  prompt,
  session: { agent: { kind: 'command', command: ['scripted'] }, workspace: { kind: 'path', path: '/work' } },
  ...more,
});

async function run(prompt: string, more: Partial<JobSpec> = {}) {
  const office = createOffice({ sessions: createScriptedSessions() });
  const lines: RunLine[] = [];
  const result = await office.executeJob(job(prompt, more), { onLine: (line) => lines.push(line) });
  await office.close();
  return { result, lines };
}

describe('a job', () => {
  it('runs from session to result, and tells every step in lines that parse', async () => {
    const { result, lines } = await run('say: hello');
    expect(result).toMatchObject({ outcome: 'completed', text: 'hello', error: null, workspace: { path: '/work' } });
    expect(result.attempts).toMatchObject([{ outcome: 'completed', sessionId: result.sessionId }]);
    expect(lines.map((line) => runLineSchema.parse(line))).toEqual(lines);
    expect(lines.filter(({ type }) => type === 'turn')).toHaveLength(1);
    expect(lines.at(-1)).toMatchObject({ type: 'result', outcome: 'completed' });
  });

  it('crashes with its agent', async () => {
    const { result } = await run('crash');
    expect(result).toMatchObject({ outcome: 'crashed', error: { class: 'crash' } });
  });

  it('leaves no session behind, however it ends', async () => {
    const sessions = createScriptedSessions();
    const office = createOffice({ sessions });
    await office.executeJob(job('say: hello'));
    expect((await sessions.list()).map(({ status }) => status)).toEqual(['terminated']);
    await office.close();
  });

  it('is cancelled by its signal, also before it has begun', async () => {
    const sessions = createScriptedSessions();
    const office = createOffice({ sessions });
    const controller = new AbortController();
    const running = office.executeJob(job('hang'), {
      signal: controller.signal,
      onLine: (line) => {
        if (line.type === 'status' && line.status === 'executing') controller.abort();
      },
    });
    expect(await running).toMatchObject({ outcome: 'cancelled', error: { class: 'cancelled' } });
    expect(await office.executeJob(job('hang'), { signal: AbortSignal.abort() })).toMatchObject({
      outcome: 'cancelled',
      workspace: null,
    });
    await office.close();
  });

  it('cannot begin with nonsense', async () => {
    const office = createOffice({ sessions: createScriptedSessions() });
    await expectError(office.executeJob(job('')), 'invalid_prompt');
    await expectError(
      office.executeJob({ ...job('x'), session: { agent: { kind: 'nobody' } } } as unknown as JobSpec),
      'invalid_argument',
    );
    await office.close();
    await expectError(office.executeJob(job('x')), 'closed');
  });

  it.each([
    ['agent_not_found', 'failed'],
    ['agent_start_failed', 'crashed'],
    ['host_lost', 'unknown'],
    ['delivery_unknown', 'unknown'],
    ['wait_timed_out', 'timed_out'],
  ] as const)('that meets %s is %s', async (code, outcome) => {
    const { SemoError } = await import('../../src/index.ts');
    const sessions: SessionManager = {
      ...bound(createScriptedSessions()),
      create: () => Promise.reject(new SemoError(code, 'Sorry.')),
    };
    // Nobody lets time pass here, and the pool would wait between its tries.
    const office = createOffice({ sessions, clock: new FakeClock(), pool: { createAttempts: 1 } });
    expect(await office.executeJob(job('say: x'))).toMatchObject({
      outcome,
      error: { code, message: 'Sorry.' },
      workspace: null,
    });
    await office.close();
  });
});

/** The methods of a session manager as plain properties, so that one can be replaced. */
function bound(sessions: SessionManager): SessionManager {
  return {
    create: (...all) => sessions.create(...all),
    get: (...all) => sessions.get(...all),
    list: (...all) => sessions.list(...all),
    sendPrompt: (...all) => sessions.sendPrompt(...all),
    getTurn: (...all) => sessions.getTurn(...all),
    waitForTurn: (...all) => sessions.waitForTurn(...all),
    sendText: (...all) => sessions.sendText(...all),
    sendKeystrokes: (...all) => sessions.sendKeystrokes(...all),
    resize: (...all) => sessions.resize(...all),
    getOutput: (...all) => sessions.getOutput(...all),
    listRequests: (...all) => sessions.listRequests(...all),
    answerRequest: (...all) => sessions.answerRequest(...all),
    cancel: (...all) => sessions.cancel(...all),
    reset: (...all) => sessions.reset(...all),
    assign: (...all) => sessions.assign(...all),
    terminate: (...all) => sessions.terminate(...all),
    on: (...all) => sessions.on(...all),
    close: () => sessions.close(),
  };
}
