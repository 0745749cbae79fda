import { describe, expect, it } from 'vitest';

import {
  EventLog,
  FakeClock,
  SCRIPTED_SLOT,
  createScriptedSessions,
  expectError,
  parseScript,
  scriptedSpec,
} from '../../testing/index.ts';

async function start() {
  const clock = new FakeClock();
  const sessions = createScriptedSessions({ clock });
  const log = new EventLog(sessions, 'a');
  await sessions.create(scriptedSpec('a'));
  return { clock, sessions, log };
}

describe('parseScript', () => {
  it('reads a directive a line', () => {
    expect(
      parseScript(
        'say: hi: there\nwork 50: done\nlines 2\nask: Bash\nprogress 40\ncommit 1a2b\nfail: why\ncrash\nhang\nwait 5',
      ),
    ).toEqual([
      { kind: 'say', text: 'hi: there' },
      { kind: 'wait', ms: 50 },
      { kind: 'say', text: 'done' },
      { kind: 'print', text: 'line 1\nline 2' },
      { kind: 'ask', for: 'permission', what: 'Bash' },
      { kind: 'progress', percent: 40 },
      { kind: 'commit', hash: '1a2b' },
      { kind: 'fail', message: 'why' },
      { kind: 'crash' },
      { kind: 'hang' },
      { kind: 'wait', ms: 5 },
    ]);
  });

  it('says any other line', () => {
    expect(parseScript('Please run the tests')).toEqual([{ kind: 'say', text: 'Please run the tests' }]);
  });
});

describe('createScriptedSessions', () => {
  it('works for as long as the clock says', async () => {
    const { clock, sessions } = await start();
    const { turnId } = await sessions.sendPrompt('a', 'work 500: done');
    clock.advance(499);
    expect((await sessions.getTurn('a', turnId))?.state.kind).toBe('running');
    clock.advance(1);
    expect(await sessions.waitForTurn('a', turnId)).toMatchObject({ text: 'done', state: { outcome: 'completed' } });
    expect(clock.pending).toBe(0);
  });

  it('tells progress, milestones and failures', async () => {
    const { sessions, log } = await start();
    const { turnId } = await sessions.sendPrompt('a', 'progress 40\ncommit 1a2b\nfail: no way');
    const turn = await sessions.waitForTurn('a', turnId);
    expect(turn).toMatchObject({
      percent: 40,
      milestones: [{ kind: 'commit', hash: '1a2b' }],
      state: { outcome: 'failed', error: { code: 'agent_failed' } },
    });
    expect(log.changesOf(turnId).map(({ change }) => change)).toEqual(['started', 'progress', 'milestone', 'ended']);
  });

  it('tells of silence, then runs out of time', async () => {
    const { clock, sessions, log } = await start();
    const { turnId } = await sessions.sendPrompt('a', 'hang', { silenceMs: 100, timeoutMs: 1000 });
    clock.advance(100);
    expect(log.changesOf(turnId).at(-1)).toMatchObject({ change: 'stalled', forMs: 100 });
    clock.advance(900);
    expect(log.changesOf(turnId).at(-1)).toMatchObject({ change: 'ended', turn: { state: { outcome: 'timed_out' } } });
  });

  it('asks people, and tells agents what they said', async () => {
    const { sessions, log } = await start();
    const { turnId } = await sessions.sendPrompt('a', 'ask: Bash\nquestion: Which colour?');
    const answerNext = async (nth: number, answer: Parameters<typeof sessions.answerRequest>[1]) => {
      await log.until((told) => told.of('request').length === nth);
      await sessions.answerRequest((await sessions.listRequests())[0]?.requestId ?? '', answer);
    };
    await answerNext(1, { behavior: 'deny', message: 'no' });
    await answerNext(2, { behavior: 'allow', updatedInput: { colour: 'red' } });
    expect((await sessions.waitForTurn('a', turnId)).text).toBe('denied: no\nanswered: {"colour":"red"}');
    expect(log.of('request').map(({ request }) => request.kind)).toEqual(['permission', 'question']);
  });

  it('never cuts a character in two', async () => {
    const { sessions } = await start();
    await sessions.waitForTurn('a', (await sessions.sendPrompt('a', 'say: aaaé')).turnId);
    expect(await sessions.getOutput('a', { as: 'raw', maxBytes: 4 })).toMatchObject({ next: 3 });
  });

  it('knows worktrees by their branch', async () => {
    const { sessions } = await start();
    const info = await sessions.create({
      ...scriptedSpec('b'),
      agentId: 'BE',
      workspace: { kind: 'git', repoId: 'r', branch: 'x' },
    });
    expect(info).toMatchObject({
      agentId: 'BE',
      worktreeId: 'x',
      workspace: { kind: 'git', branch: 'x', repoId: 'r' },
    });
  });

  it('refuses another job where work is not committed, and says at its end what was kept', async () => {
    const { sessions } = await start();
    await sessions.create({ ...scriptedSpec('b'), workspace: SCRIPTED_SLOT });
    await sessions.assign('b', { branch: 'one' });
    await sessions.waitForTurn('b', (await sessions.sendPrompt('b', 'dirty\nsay: done')).turnId);
    await sessions.assign('b', { branch: 'one' });
    const error = await expectError(sessions.assign('b', { branch: 'two' }), 'workspace_dirty');
    expect(error).toMatchObject({ class: 'capacity', retryable: false, details: { kind: 'changes' } });
    await sessions.terminate('b');
    const reason = 'It has 1 uncommitted change.';
    expect((await sessions.get('b'))?.workspace).toMatchObject({ branch: 'one', kept: { reason } });
  });

  it('waits no longer than it should', async () => {
    const { clock, sessions } = await start();
    const { turnId } = await sessions.sendPrompt('a', 'hang');
    const waiting = expectError(sessions.waitForTurn('a', turnId, { timeoutMs: 10 }), 'wait_timed_out');
    clock.advance(10);
    await waiting;
    await expectError(sessions.create(scriptedSpec('c'), { signal: AbortSignal.abort() }), 'aborted');
  });

  it('terminates all agents when closed', async () => {
    const { sessions, log } = await start();
    await sessions.close();
    expect(log.of('exit')).toHaveLength(1);
    await expectError(sessions.create(scriptedSpec('b')), 'closed');
    await expectError(sessions.cancel('a'), 'closed');
  });
});
