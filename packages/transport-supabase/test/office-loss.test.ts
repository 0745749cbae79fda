import { createOffice, type JobSpec, type JobStore, type Office, type OfficeOptions } from '@semo-office/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { calmSessions, fragileHost, giveUpLost, loseHost, type FragileHost } from './fragile-host.ts';
import { PATIENCE, isGiven, startProject, type OfficeOfProject, type Project } from './project.ts';

let project: Project;
const closings: (() => Promise<void>)[] = [];
beforeAll(async () => {
  project = await startProject();
});
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close();
});
afterAll(() => project[Symbol.asyncDispose]());

const AGAIN = { kind: 'again', times: 1, reason: 'host_lost' } as const;

/** An office over two hosts; the first job goes to the first of them, which may be cut off right before its prompt is sent. */
async function staged(options: Partial<OfficeOptions> = {}, { cutsBeforePrompt = false } = {}) {
  const ours = project.office({ realtime: false });
  closings.push(() => ours.close());
  const [h1, h2] = [
    await fragileHost(project, ours, { hostId: 'h1' }),
    await fragileHost(project, ours, { hostId: 'h2' }),
  ];
  const store = ours.server.jobStore();
  const change: JobStore['change'] = async (ref, what) => {
    const isNext = what.kind === 'attempt' && what.attempt.delivery === 'intent' && what.attempt.number === 0;
    if (cutsBeforePrompt && isNext) await lose(ours, h1);
    return store.change(ref, what);
  };
  const office = createOffice({
    sessions: calmSessions(ours),
    jobs: { ...store, change },
    pollMs: 50,
    backoff: { firstMs: 1, longestMs: 2 },
    onFault: () => undefined,
    ...options,
  });
  closings.push(() => office.close());
  return { ours, h1, h2, office };
}

const job = (prompt: string): JobSpec => ({
  prompt,
  session: { agent: { kind: 'command', command: ['scripted'] }, workspace: { kind: 'path', path: '/work' } },
});

const lose = async (ours: OfficeOfProject, host: FragileHost): Promise<void> => {
  await host.cut();
  await loseHost(project, ours, host.hostId);
};

/** Resolves once the office waits for a host to come back. */
const waitsForHost = (office: Office): Promise<void> =>
  new Promise((resolve) => {
    office.on('waiting', ({ wait }) => (wait.for === 'host' ? resolve() : undefined));
  });

/** Resolves once the agent of a host asks something. */
const asks = (host: FragileHost): Promise<string> =>
  new Promise((resolve) => {
    host.local.on('request', ({ request }) => resolve(request.requestId));
  });

/** The prompts that reached a host's agents. */
function promptsAt(host: FragileHost): string[] {
  const turns: string[] = [];
  host.local.on('turn', ({ change, turn }) => {
    if (change === 'started') turns.push(turn.turnId);
  });
  return turns;
}

describe.skipIf(isGiven)('a job whose host is lost', () => {
  it('before its prompt had been handed out is done on another one, as the same attempt', async () => {
    const { ours, h1, h2, office } = await staged({}, { cutsBeforePrompt: true });
    const [first, second] = [promptsAt(h1), promptsAt(h2)];
    const waiting = waitsForHost(office);
    const done = office.executeJob(job('say: done'));
    await waiting;
    await giveUpLost(project, ours);
    const { outcome, text, attempts } = await done;
    expect({ outcome, text }).toEqual({ outcome: 'completed', text: 'done' });
    expect(attempts.map(({ reason }) => reason)).toEqual(['first']);
    expect([first.length, second.length]).toEqual([0, 1]);
    h1.mend();
    const living = () => h1.local.list({ status: ['ready', 'executing', 'waiting_input'] });
    await expect.poll(living, PATIENCE).toEqual([]);
    expect(first).toEqual([]);
  });

  it('in the middle of its turn ends as the policy says, and tells why', async () => {
    const { ours, h1, h2, office } = await staged();
    const asking = asks(h1);
    const elsewhere = promptsAt(h2);
    const done = office.executeJob(job('ask: Bash'));
    await asking;
    const waiting = waitsForHost(office);
    await lose(ours, h1);
    await waiting;
    await giveUpLost(project, ours);
    const { outcome, error, attempts } = await done;
    expect({ outcome, code: error?.code }).toEqual({ outcome: 'unknown', code: 'delivery_unknown' });
    expect(attempts).toMatchObject([{ reason: 'first', outcome: 'unknown', error: { code: 'delivery_unknown' } }]);
    expect(error?.message).toContain('Host h1 was lost, and was given up.');
    expect(elsewhere).toEqual([]);
  });

  it('in the middle of its turn is done again elsewhere where the policy says so, whatever the first one still does', async () => {
    const { ours, h1, h2, office } = await staged({ policy: { codes: { delivery_unknown: AGAIN } } });
    const [first, second] = [promptsAt(h1), promptsAt(h2)];
    const [request, again] = [asks(h1), asks(h2)];
    const done = office.executeJob(job('ask: Bash'));
    const requestId = await request;
    const waiting = waitsForHost(office);
    await lose(ours, h1);
    await waiting;
    await giveUpLost(project, ours);
    const requestAgain = await again;
    // The first host is back too late, and its agent has come to an end of its own.
    await h1.local.answerRequest(requestId, { behavior: 'deny', message: 'Too late.' });
    h1.mend();
    const living = () => h1.local.list({ status: ['ready', 'executing', 'waiting_input'] });
    await expect.poll(living, PATIENCE).toEqual([]);
    await office.sessions.answerRequest(requestAgain, { behavior: 'allow' });
    const { outcome, text, attempts } = await done;
    expect({ outcome, text }).toEqual({ outcome: 'completed', text: expect.stringMatching(/allowed$/) });
    expect(attempts).toMatchObject([
      { reason: 'first', outcome: 'unknown', error: { code: 'delivery_unknown' } },
      { reason: 'host_lost', outcome: 'completed' },
    ]);
    expect([first.length, second.length]).toEqual([1, 1]);
    const [turn] = await project.supabase.sql('select outcome from agent_turns where office_id = $1 and turn_id = $2', [
      ours.officeId,
      first[0],
    ]);
    expect(turn).toEqual({ outcome: 'unknown' });
  });

  it('and back in time goes on where it was, once', async () => {
    const { ours, h1, office } = await staged();
    const prompts = promptsAt(h1);
    const request = asks(h1);
    const done = office.executeJob(job('ask: Bash'));
    const requestId = await request;
    const waiting = waitsForHost(office);
    await lose(ours, h1);
    await waiting;
    h1.mend();
    await expect
      .poll(
        () =>
          office.sessions.answerRequest(requestId, { behavior: 'allow' }).then(
            () => 'given',
            () => 'lost',
          ),
        PATIENCE,
      )
      .toBe('given');
    expect(await done).toMatchObject({ outcome: 'completed', text: 'allowed', attempts: [{ reason: 'first' }] });
    expect(prompts).toHaveLength(1);
  });
});
