import { access, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memorySessionStore, newId } from '@semo-office/core';
import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createPtySessionManager } from '../../src/index.ts';
import { identify, isAlive } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { readNotes } from '../../src/readoption/session-notes.ts';
import { TMUX } from '../terminal/tmux/tmux-stage.ts';
import { leftByHost } from './left-host.ts';

/** Others may be at work on this machine. */
const LOAD = { timeout: 120_000 };
const SHELL = { kind: 'shell' } as const;

describe.skipIf(TMUX.path === null)(`a session in tmux whose host was killed${TMUX.reason}`, LOAD, () => {
  it('is gone on with between turns: as it was, and with the next prompt', async () => {
    const turnId = newId('turn');
    const left = await leftByHost({
      agent: SHELL,
      prompts: [{ prompt: 'x=41; echo one', turnId, wait: 'ended' }],
      more: { environment: { set: { ZED: '1', ALPHA: '2' } } },
    });
    const { sessionId, pid } = left;
    const { sessions, reports } = left.next();
    const listed = await sessions.list();
    expect(reports).toMatchObject([{ takenUp: [{ sessionId }], swept: [], leftAlone: [] }]);
    expect(listed).toMatchObject([
      { sessionId, status: 'ready', terminalId: left.info.terminalId, createdAt: left.info.createdAt },
    ]);
    // It is created already, and its turn was sent and has ended.
    expect(await sessions.create(left.spec)).toMatchObject({ sessionId, status: 'ready' });
    expect(await sessions.sendPrompt(sessionId, 'x=41; echo one', { turnId })).toMatchObject({ text: 'one' });
    expect(await sessions.getOutput(sessionId, { from: 0 })).toMatchObject({
      start: 0,
      text: expect.stringContaining('one'),
    });
    const next = await sessions.sendPrompt(sessionId, 'echo $((x + 1))');
    expect(await sessions.waitForTurn(sessionId, next.turnId)).toMatchObject({
      state: { outcome: 'completed', decidedBy: 'shell_mark' },
      text: '42',
    });
    const root = identify(table, pid);
    await sessions.terminate(sessionId);
    expect(root !== null && isAlive(table, root)).toBe(false);
  });

  it('has a turn among its notes until its end is written down', async () => {
    await using state = await temporaryFolder('semo-state-');
    const slow = Promise.withResolvers<void>();
    const sessionStore = memorySessionStore();
    const advanceTurn = sessionStore.advanceTurn.bind(sessionStore);
    sessionStore.advanceTurn = async (session, turn, step) => {
      if (step.kind === 'ended') await slow.promise;
      return advanceTurn(session, turn, step);
    };
    const sessions = createPtySessionManager({ stateDir: state.path, terminal: 'tmux', sessionStore });
    onTestFinished(async () => {
      slow.resolve();
      await sessions.close();
    });
    const workspace = { kind: 'path', path: state.path } as const;
    const { sessionId } = await sessions.create({ sessionId: newId('ses'), agent: SHELL, workspace });
    const noted = async () => (await readNotes(join(state.path, 'sessions', sessionId))).turn?.turnId;
    await sessions.sendPrompt(sessionId, 'echo one', { turnId: 'turn_one' });
    await sessions.waitForTurn(sessionId, 'turn_one');
    const next = sessions.sendPrompt(sessionId, 'read line', { turnId: 'turn_two' });
    // More often than it takes to write them.
    for (let looks = 0; looks < 50; looks += 1) expect(await noted()).toBe('turn_one');
    slow.resolve();
    await next;
    expect(await noted()).toBe('turn_two');
    await sessions.sendText(sessionId, 'on\n');
    await expect.poll(noted).toBeUndefined();
  });

  it('is gone on with in the middle of a turn, whose end is seen', async () => {
    const turnId = newId('turn');
    const left = await leftByHost({
      agent: SHELL,
      prompts: [{ prompt: 'echo begun; read line; echo "got $line"; false', turnId }],
    });
    const { sessionId } = left;
    const { sessions } = left.next();
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'executing', turnId });
    await sessions.sendText(sessionId, 'that\n');
    const turn = await sessions.waitForTurn(sessionId, turnId);
    expect(turn).toMatchObject({ state: { outcome: 'failed', error: { code: 'agent_exit_failed' } } });
    expect(turn.text).toMatch(/^begun\n[^]*got that$/);
    expect(await sessions.get(sessionId)).toMatchObject({ status: 'ready', turnId: null });
  });

  it('has the verdict of a turn that ended while there was no host', async () => {
    const turnId = newId('turn');
    const prompt = 'until [ -s gate ]; do sleep 0.05; done; cat gate; echo done';
    const left = await leftByHost({ agent: SHELL, prompts: [{ prompt, turnId }] });
    await writeFile(join(left.folder, 'gate'), 'open\n');
    const { sessions } = left.next();
    expect(await sessions.waitForTurn(left.sessionId, turnId)).toMatchObject({
      state: { outcome: 'completed', decidedBy: 'shell_mark' },
      text: 'open\ndone',
    });
  });

  it('is gone on with once, can be cancelled and takes the next prompt', async () => {
    const turnId = newId('turn');
    const left = await leftByHost({ agent: SHELL, prompts: [{ prompt: 'sleep 1000', turnId }] });
    const { sessions } = left.next();
    await sessions.list();
    const second = left.next();
    expect(await second.sessions.list()).toEqual([]);
    expect(second.reports).toMatchObject([{ takenUp: [], swept: [] }]);
    await sessions.cancel(left.sessionId);
    expect(await sessions.getTurn(left.sessionId, turnId)).toMatchObject({ state: { outcome: 'cancelled' } });
    const next = await sessions.sendPrompt(left.sessionId, 'echo on');
    expect(await sessions.waitForTurn(left.sessionId, next.turnId)).toMatchObject({ text: 'on' });
  });

  it('is a program: its next marker ends its turn, though older ones are kept', async () => {
    const [first, second] = [newId('turn'), newId('turn')];
    const script =
      'while read -r line; do echo "did $line"; [ "$line" = b ] && cat gate; echo "$SEMO_DONE_MARKER"; done';
    const left = await leftByHost({
      agent: { kind: 'command', command: ['/bin/sh', '-c', `mkfifo gate; ${script}`] },
      prompts: [
        { prompt: 'a', turnId: first, wait: 'ended' },
        { prompt: 'b', turnId: second },
      ],
    });
    const { sessions } = left.next();
    expect(await sessions.get(left.sessionId)).toMatchObject({ status: 'executing', turnId: second });
    await writeFile(join(left.folder, 'gate'), 'open\n');
    expect(await sessions.waitForTurn(left.sessionId, second)).toMatchObject({
      state: { outcome: 'completed', decidedBy: 'screen_marker' },
      text: 'did b\nopen',
    });
    expect(await sessions.getTurn(left.sessionId, first)).toMatchObject({ text: 'did a' });
  });

  it('keeps its worktree and persona, which go with its end under the next host', async () => {
    await using repository = await createGitRepository();
    const repositories = { app: repository.path };
    const left = await leftByHost({
      agent: SHELL,
      repositories,
      more: {
        workspace: { kind: 'git', repoId: 'app', branch: 'agent/left' },
        persona: { name: 'Left', role: 'FE', prompt: 'Stay.' },
      },
    });
    const { workspace, persona } = left.info;
    const { sessions } = left.next({ repositories });
    expect(await sessions.get(left.sessionId)).toMatchObject({ workspace, persona, worktreeId: 'agent/left' });
    const { turnId } = await sessions.sendPrompt(left.sessionId, `cat '${persona?.path}'`);
    expect((await sessions.waitForTurn(left.sessionId, turnId)).text).toContain('Stay.');
    await sessions.terminate(left.sessionId);
    await expect(access(workspace.path)).rejects.toThrow('ENOENT');
    await expect(access(join(repository.path, '.git', 'semo', 'personas.json'))).rejects.toThrow('ENOENT');
    // What is known of the session stays, and nothing else.
    await sessions.close();
    expect(await readdir(left.stateDir)).toEqual(['history']);
  });

  it('fails a prompt that waited for the turn that runs: nothing of it was sent', async () => {
    const [running, waiting] = [newId('turn'), newId('turn')];
    const left = await leftByHost({
      agent: SHELL,
      prompts: [
        { prompt: 'read line', turnId: running },
        { prompt: 'echo never', turnId: waiting, wait: 'nothing' },
      ],
    });
    const { sessions } = left.next();
    expect(await sessions.waitForTurn(left.sessionId, waiting)).toMatchObject({
      state: { outcome: 'failed', error: { code: 'prompt_not_accepted' } },
    });
    expect(await sessions.get(left.sessionId)).toMatchObject({ status: 'executing', turnId: running });
  });

  it('is ended where its notes are of another version, and where its host has begun to end it', async () => {
    const left = await leftByHost({ agent: SHELL });
    const file = join(left.stateDir, 'sessions', left.sessionId, 'readoption.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"version":1', '"version":99'));
    const { sessions, reports } = left.next();
    expect(await sessions.list()).toEqual([]);
    const reason = expect.stringContaining('another version');
    expect(reports).toMatchObject([{ takenUp: [], swept: [{ sessionId: left.sessionId, reason, faults: [] }] }]);
    // Whoever has inherited it may not have taken note of its end yet.
    expect(table.find(left.pid)?.state ?? 'gone').toMatch(/^(Z|gone)$/);

    const ending = await leftByHost({ agent: SHELL });
    await rm(join(ending.stateDir, 'sessions', ending.sessionId, 'readoption.json'));
    const next = ending.next();
    expect(await next.sessions.list()).toEqual([]);
    expect(next.reports).toMatchObject([{ swept: [{ reason: expect.stringContaining('about to end') }] }]);
  });
});
