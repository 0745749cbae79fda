import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type AgentSpec, type PromptOptions, type SessionManager, type TurnInfo } from '@semo-office/core';
import { describeSessionManagerContract } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../../src/index.ts';
import { printed } from '../../prompted-program.ts';

type ShellSpec = Extract<AgentSpec, { kind: 'shell' }>;

interface ShellStage extends AsyncDisposable {
  readonly sessions: SessionManager;
  readonly folder: string;
  readonly home: string;
  open(agent?: Partial<ShellSpec>): Promise<string>;
  run(sessionId: string, command: string, options?: PromptOptions): Promise<TurnInfo>;
}

async function shellStage(shell: string): Promise<ShellStage> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const home = join(state.path, 'home');
  await mkdir(home);
  const hostEnv = { PATH: process.env['PATH'], HOME: home, LANG: 'C.UTF-8' };
  const sessions = createPtySessionManager({ stateDir: state.path, hostEnv });
  return {
    sessions,
    home,
    folder: await realpath(work.path),
    async open(agent = {}) {
      const workspace = { kind: 'path', path: work.path } as const;
      const spec = { sessionId: newId('ses'), agent: { kind: 'shell', shell, ...agent }, workspace } as const;
      return (await sessions.create(spec)).sessionId;
    },
    async run(sessionId, command, options) {
      const { turnId } = await sessions.sendPrompt(sessionId, command, options);
      return sessions.waitForTurn(sessionId, turnId);
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

function isInstalled(shell: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${shell}`]);
    return true;
  } catch {
    return false;
  }
}

const COMPLETED = { outcome: 'completed', confidence: 'certain', decidedBy: 'shell_mark' };
const SHELLS = ['bash', 'zsh'].filter(isInstalled);

it(`covers bash${SHELLS.includes('zsh') ? ' and zsh' : '; zsh is not installed on this machine and stays uncovered'}`, () => {
  expect(SHELLS).toContain('bash');
});

describe.each(SHELLS)('%s', (shell) => {
  it('completes with status 0, else fails, with the output as text', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    expect((await stage.sessions.get(id))?.agent.version).toMatch(/^\d+\.\d/);
    const turn = await stage.run(id, 'printf "  one\\ntwo \\033[31mred\\033[0m\\n"');
    expect(turn).toMatchObject({ state: COMPLETED, text: '  one\ntwo red' });
    const failed = await stage.run(id, '(exit 7)');
    expect(failed).toMatchObject({
      text: '',
      state: { outcome: 'failed', decidedBy: 'shell_mark', error: { code: 'agent_exit_failed' } },
    });
    expect((await stage.run(id, 'echo $?')).text).toBe('7');
    expect((await stage.sessions.getTurn(id, turn.turnId))?.text).toBe('  one\ntwo red');
  });

  it('keeps its state from turn to turn, and runs several lines as one', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    const turn = await stage.run(id, 'word=plum\ncat <<END\na\ttab $word !! ✓ 한글\nEND\nfalse\necho last');
    expect(turn).toMatchObject({ state: COMPLETED, text: 'a\ttab plum !! ✓ 한글\nlast' });
    expect((await stage.run(id, 'mkdir sub && cd sub; echo $word')).text).toBe('plum');
    expect((await stage.run(id, 'pwd')).text).toBe(join(stage.folder, 'sub'));
    expect((await stage.run(id, 'for i in 1 2\ndo echo $i\ndone')).text).toBe('1\n2');
  });

  it('fails what is no command, or not a whole one, and goes on', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    for (const command of ['echo )', 'echo "abc', 'if true\nthen echo', 'no-such-command-here']) {
      expect((await stage.run(id, command)).state).toMatchObject({ outcome: 'failed', decidedBy: 'shell_mark' });
    }
    expect((await stage.run(id, '# nothing at all')).state).toMatchObject(COMPLETED);
    expect((await stage.run(id, 'echo still')).text).toBe('still');
  });

  it('is not fooled by a mark that a command prints', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    const forged = String.raw`printf '\033]133;D;0\a\033]133;D;0;abc\a\033]133;A\a\033]133;B;\a'; sleep 0.2; echo after; (exit 4)`;
    expect(await stage.run(id, forged)).toMatchObject({ text: 'after', state: { outcome: 'failed' } });
    expect(
      await stage.run(id, String.raw`printf 'PS1 is %q\n' "$PS1" | tail -c 5; env | grep -c 133; false`),
    ).toMatchObject({
      state: { outcome: 'failed' },
    });
  });

  it('comes to rest when it is interrupted, and none of the lines after runs', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'echo go\nsleep 60\ntouch never\nsleep 60');
    await printed(stage.sessions, id, '\u0007go\r');
    await stage.sessions.cancel(id);
    expect((await stage.sessions.getTurn(id, turnId))?.state).toMatchObject({ outcome: 'cancelled' });
    expect((await stage.run(id, 'echo back')).text).toBe('back');
    expect(existsSync(join(stage.folder, 'never'))).toBe(false);
    expect((await stage.run(id, 'sleep 60', { timeoutMs: 300 })).state).toMatchObject({ outcome: 'timed_out' });
    expect((await stage.run(id, 'echo back again')).text).toBe('back again');
  });

  it('ends with the shell’s own exit', async () => {
    await using stage = await shellStage(shell);
    const [well, badly, killed] = await Promise.all([stage.open(), stage.open(), stage.open()]);
    expect(await stage.run(well, 'echo bye; exit 0')).toMatchObject({
      state: { outcome: 'completed', decidedBy: 'exit' },
    });
    expect((await stage.run(badly, 'exit 3')).state).toMatchObject({ outcome: 'failed', decidedBy: 'exit' });
    expect((await stage.run(killed, 'kill -9 $$')).state).toMatchObject({ outcome: 'crashed', decidedBy: 'exit' });
  });

  it('leaves the user’s own settings unread unless asked, and history unwritten', async () => {
    await using stage = await shellStage(shell);
    await writeFile(join(stage.home, `.${shell}rc`), 'export MINE=read\nPS1="mine> "\n');
    const plain = await stage.open();
    expect((await stage.run(plain, 'echo "<$MINE>"')).text).toBe('<>');
    const own = await stage.open({ useUserRc: true });
    expect((await stage.run(own, 'echo "<$MINE>"')).text).toBe('<read>');
    await stage.sessions.terminate(own);
    await stage.sessions.terminate(plain);
    expect(await readdir(stage.home)).toEqual([`.${shell}rc`]);
  });

  it('takes a long prompt, and tells of milestones with their place', async () => {
    await using stage = await shellStage(shell);
    const id = await stage.open();
    const word = 'x'.repeat(1000);
    const lines = Array.from({ length: 60 }, () => `: ${word}`).join('\n');
    const turn = await stage.run(id, `${lines}\necho "[main 1a2b3c4] Add"; echo "31 passed, 0 failed"`);
    expect(turn.milestones).toMatchObject([
      { kind: 'commit', hash: '1a2b3c4', offset: expect.any(Number) },
      { kind: 'tests_passed', passed: 31 },
    ]);
    const [{ offset = 0 } = {}] = turn.milestones;
    const slice = await stage.sessions.getOutput(id, { as: 'raw', from: offset, maxBytes: 20 });
    expect(slice).toMatchObject({ as: 'raw', from: offset });
    expect('bytes' in slice && Buffer.from(slice.bytes).toString()).toContain('[main 1a2b3c4]');
    // What stands in the prompt is no milestone.
    expect((await stage.run(id, 'true "[main 1a2b3c4] Add"\n# 31 passed, 0 failed')).milestones).toEqual([]);
  });
});

it.each(['fish', '/bin/sh'])('refuses %s', async (shell) => {
  await using stage = await shellStage(shell);
  await expect(stage.open()).rejects.toMatchObject({ code: 'invalid_argument' });
});

describeSessionManagerContract('a shell', {
  prompts: {
    quick: 'echo "The sum is $((20 + 22))."',
    quickAnswer: 'The sum is 42.',
    endless: 'echo working; sleep 600',
    crash: 'kill -9 $$',
    ask: null,
    printLines: (count) => `for i in $(seq ${count}); do echo line $i; done`,
  },
  canReset: false,
  async open() {
    const stage = await shellStage('bash');
    return {
      sessions: stage.sessions,
      specFor: (sessionId) => ({
        sessionId,
        agent: { kind: 'shell', shell: 'bash' },
        workspace: { kind: 'path', path: stage.folder },
      }),
      close: async () => stage[Symbol.asyncDispose](),
    };
  },
});
