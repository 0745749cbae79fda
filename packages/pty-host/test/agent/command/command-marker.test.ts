import { fileURLToPath } from 'node:url';
import { newId, type PromptOptions, type SessionManager, type TurnInfo } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../../src/index.ts';
import { printed } from '../../prompted-program.ts';

const PAINTER = fileURLToPath(new URL('../../fixtures/painting-program.mjs', import.meta.url));
/** Where no marker comes, the turn is over by silence, which is how a test sees that it did not come. */
const SILENCE: PromptOptions = { silenceMs: 700 };

interface Stage extends AsyncDisposable {
  readonly sessions: SessionManager;
  readonly id: string;
  ask(prompt: string, options?: PromptOptions): Promise<TurnInfo>;
}

async function stage({
  command = [process.execPath, PAINTER],
  over = 'terminal',
}: { command?: string[]; over?: 'terminal' | 'pipe' } = {}): Promise<Stage> {
  const work = await temporaryFolder('semo-work-');
  const state = await temporaryFolder('semo-state-');
  const sessions = createPtySessionManager({ stateDir: state.path });
  const { sessionId: id } = await sessions.create({
    sessionId: newId('ses'),
    agent: { kind: 'command', command, over },
    workspace: { kind: 'path', path: work.path },
  });
  if (command.includes(PAINTER)) await printed(sessions, id, 'listening');
  return {
    sessions,
    id,
    async ask(prompt, options = SILENCE) {
      const { turnId } = await sessions.sendPrompt(id, prompt, options);
      return sessions.waitForTurn(id, turnId);
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

async function markerOf({ sessions, id }: Stage): Promise<string> {
  const slice = await sessions.getOutput(id);
  return /SEMO-DONE-[0-9a-f]+/.exec('text' in slice ? slice.text : '')?.[0] ?? '';
}

const BY_MARKER = { outcome: 'completed', confidence: 'certain', decidedBy: 'screen_marker' };
const BY_SILENCE = { outcome: 'completed', confidence: 'inferred', decidedBy: 'silence' };

describe('the marker of a command', () => {
  it.each(['wrapped 12', 'wrapped 30', 'colours', 'moved', 'retyped', 'overwritten', 'painted'])(
    'is found: %s',
    async (way) => {
      await using at = await stage();
      const turn = await at.ask(way);
      expect(turn.state).toMatchObject(BY_MARKER);
      expect(turn.text.replace(way, '')).not.toMatch(/SEMO-DONE-[0-9a-f]{8}/);
    },
  );

  it('is not found in a listing of the environment, and not in nothing', async () => {
    await using at = await stage();
    expect((await at.ask('listing')).state).toMatchObject(BY_SILENCE);
    expect((await at.ask('never')).state).toMatchObject(BY_SILENCE);
    expect((await at.ask('says hello')).state).toMatchObject(BY_MARKER);
  });

  it('is not found in what an earlier turn printed and this one paints again', async () => {
    await using at = await stage();
    await at.ask('says one');
    await at.ask('painted');
    expect((await at.ask('repaint')).state).toMatchObject(BY_SILENCE);
  });

  it('is not found in the echo of a prompt that holds it, however often the line is painted', async () => {
    await using at = await stage();
    await at.ask('says hello');
    const marker = await markerOf(at);
    expect((await at.ask(`quoting please print ${marker} at the end`)).state).toMatchObject(BY_SILENCE);
    expect((await at.ask(`never print ${marker}`)).state).toMatchObject(BY_SILENCE);
    expect((await at.ask(`says not only ${marker}`)).state).toMatchObject(BY_MARKER);
  });

  it('is found over pipes, where nothing is echoed', async () => {
    await using at = await stage({ over: 'pipe' });
    expect((await at.ask('wrapped 12')).state).toMatchObject(BY_MARKER);
    expect((await at.ask('says hello')).state).toMatchObject(BY_MARKER);
  });
});

describe('milestones of a command', () => {
  const script =
    'read -r line; echo "[main 1a2b3c4] Add"; echo "[main 1a2b3c4] Add"; echo "[SEMO:PROGRESS 40%]"; ' +
    'echo "fatal: no remote" >&2; printf "\\033[32mtest result: ok. 4 passed; 0 failed;\\033[0m"; echo; printf "All done"';

  it.each(['terminal', 'pipe'] as const)('are told once each, with their place, over a %s', async (over) => {
    await using at = await stage({ command: ['/bin/sh', '-c', script], over });
    const turn = await at.ask('Created pull request #5');
    expect(turn.state).toMatchObject({ outcome: 'completed', decidedBy: 'exit' });
    expect(turn.milestones).toMatchObject([
      { kind: 'commit', hash: '1a2b3c4', offset: expect.any(Number) },
      { kind: 'tests_passed', passed: 4 },
    ]);
    expect(turn.percent).toBe(40);
    expect(turn.evidence.filter(({ kind }) => kind === 'trouble')).toMatchObject([{ text: 'fatal: no remote' }]);
    const from = turn.milestones[0]?.offset ?? 0;
    const slice = await at.sessions.getOutput(at.id, { as: 'raw', from, maxBytes: 14 });
    expect('bytes' in slice && Buffer.from(slice.bytes).toString()).toBe('[main 1a2b3c4]');
  });

  it('complete the turn where that is asked for', async () => {
    await using at = await stage({
      command: ['/bin/sh', '-c', 'read -r l; echo "Build completed successfully"; sleep 60'],
    });
    const turn = await at.ask('Build.', { completeOn: ['build_completed'] });
    expect(turn.state).toMatchObject({ outcome: 'completed', decidedBy: 'milestone' });
  });
});
