import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { newId, sessionInfoSchema } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';

import { createPtySessionManager, type SweepReport } from '../../../src/index.ts';
import { identify, isAlive } from '../../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../../src/process/system-process-table.ts';
import { findTmuxPane } from '../../../src/terminal/tmux/tmux-pane.ts';
import { openTmuxServer } from '../../../src/terminal/tmux/tmux-server.ts';
import { adoptTmuxTerminal } from '../../../src/terminal/tmux/tmux-terminal.ts';
import type { ProcessExit } from '../../../src/terminal/terminal.ts';
import { TMUX, processOf } from './tmux-stage.ts';

const script = fileURLToPath(new URL('../../fixtures/tmux-host.mjs', import.meta.url));

interface DoomedHost {
  /** What it told first. */
  readonly first: unknown;
  /** All output it has told. */
  readonly text: () => string;
  /** Resolves when it has told this. */
  until(wanted: (text: string) => boolean): Promise<void>;
  kill(): Promise<void>;
}

/** A real host, in a process of its own, to be killed. */
async function doomedHost(plan: object): Promise<DoomedHost> {
  const host = spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void host.kill('SIGKILL'));
  const first = Promise.withResolvers<unknown>();
  let text = '';
  let isFirst = true;
  const lines = createInterface({ input: host.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as { text?: string };
    if (isFirst) first.resolve(told);
    else text += told.text ?? '';
    isFirst = false;
  });
  return {
    first: await first.promise,
    text: () => text,
    async until(wanted) {
      while (!wanted(text)) await once(lines, 'line');
    },
    async kill() {
      const ended = once(host, 'close');
      host.kill('SIGKILL');
      await ended;
    },
  };
}

/** What a terminal that runs already has. */
const NOTHING_NEW = { command: [], cwd: '/', env: {}, size: { cols: 80, rows: 24 } };

/** Reads on where the dead host has stopped. */
async function takeUp(stateDir: string, key: string, from: number) {
  const server = await openTmuxServer({ stateDir });
  const place = await findTmuxPane(server, key);
  if (place === null) throw new Error('The pane is gone.');
  const adopted = adoptTmuxTerminal({ server, place, from });
  const exited = Promise.withResolvers<ProcessExit>();
  const chunks: Buffer[] = [];
  const terminal = adopted.open({
    ...NOTHING_NEW,
    onData: (bytes) => void chunks.push(Buffer.from(bytes)),
    onExit: exited.resolve,
  });
  return { terminal, exited: exited.promise, text: () => Buffer.concat(chunks).toString('latin1'), adopted };
}

describe.skipIf(TMUX.path === null)(`a terminal in tmux whose host is killed${TMUX.reason}`, () => {
  it('is taken up where the output was left, with no gap and no byte twice', async () => {
    await using state = await temporaryFolder('semo-tmux-');
    const key = newId('ses');
    // It prints while there is no host as well, and ends when it is told to, though not with its last word: docs/tmux.md.
    const count =
      'stty -echo; (i=0; while :; do i=$((i+1)); echo "$i."; sleep 0.005; done) & read line; kill $!; wait; echo "bye $line"; sleep 0.3; exit 5';
    const host = await doomedHost({ stateDir: state.path, key, command: ['/bin/bash', '-c', count] });
    await host.until((text) => text.includes('\r\n200.\r\n'));
    await host.kill();
    const before = host.text();
    const next = await takeUp(state.path, key, before.length);
    await next.terminal.write('friend\n');
    expect(await next.exited).toEqual({ code: 5, signal: null });
    const whole = before + next.text();
    const numbers = [...whole.matchAll(/(\d+)\.\r\n/g)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(200);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(whole.replaceAll(/\d+\.\r\n/g, '')).toBe('bye friend\r\n');
    next.terminal.close();
    await next.adopted.dispose();
    expect((await readdir(state.path)).sort()).toEqual(['pane']);
  });

  it('tells the next one how it ended in between', async () => {
    await using state = await temporaryFolder('semo-tmux-');
    const key = newId('ses');
    const host = await doomedHost({
      stateDir: state.path,
      key,
      command: ['/bin/sh', '-c', 'echo up; read line; exit 9'],
    });
    await host.until((text) => text.includes('up'));
    const server = await openTmuxServer({ stateDir: state.path });
    const place = await findTmuxPane(server, key);
    if (place === null) throw new Error('The pane is gone.');
    await host.kill();
    process.kill(place.pid, 'SIGTERM');
    const exited = Promise.withResolvers<ProcessExit>();
    const adopted = adoptTmuxTerminal({ server, place, from: 4 });
    adopted.open({ ...NOTHING_NEW, onData: () => undefined, onExit: exited.resolve });
    expect(await exited.promise).toEqual({ code: null, signal: 'SIGTERM' });
    await adopted.dispose();
  });

  it('is swept by the next host, with all that ran in it and the server', async () => {
    await using state = await temporaryFolder('semo-state-');
    await using work = await temporaryFolder('semo-work-');
    const spec = {
      sessionId: newId('ses'),
      agent: { kind: 'shell' },
      workspace: { kind: 'path', path: work.path },
      // In a namespace there would be what holds it, too.
      containment: { level: 'process_group' },
    };
    const host = await doomedHost({ stateDir: state.path, spec });
    const shell = identify(table, processOf(sessionInfoSchema.parse(host.first)));
    if (shell === null) throw new Error('The shell is gone.');
    await host.kill();
    expect(isAlive(table, shell)).toBe(true);
    const reports: SweepReport[] = [];
    const next = createPtySessionManager({ stateDir: state.path, onSweep: (report) => void reports.push(report) });
    expect(await next.list()).toEqual([]);
    expect(reports).toMatchObject([{ swept: [{ sessionId: spec.sessionId, killed: 1, survivors: [], faults: [] }] }]);
    expect(isAlive(table, shell)).toBe(false);
    await next.close();
    // What is known of the session stays, and nothing else.
    expect(await readdir(state.path)).toEqual(['history']);
  });
});
