import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { expect, it, onTestFinished } from 'vitest';

import type { ProcessExit } from '../../../src/terminal/terminal.ts';
import { KeptOutput } from '../../../src/terminal/tmux/kept-output.ts';
import { END_FILE, EXIT_FILE, OUTPUT_PREFIX } from '../../../src/terminal/tmux/output-keeper.ts';
import type { TmuxServer } from '../../../src/terminal/tmux/tmux-server.ts';
import { adoptTmuxTerminal } from '../../../src/terminal/tmux/tmux-terminal.ts';

async function paneFolder(printed: string): Promise<string> {
  const state = await temporaryFolder('semo-pane-');
  onTestFinished(() => state[Symbol.asyncDispose]());
  await writeFile(join(state.path, `${OUTPUT_PREFIX}0`), printed);
  return state.path;
}

/** A tmux that has missed the end of a pane's process, until it is roused. It misses real ones only now and then. */
function sleepyServer(folder: string): { server: TmuxServer; roused: Promise<void> } {
  const roused = Promise.withResolvers<void>();
  const server: TmuxServer = {
    socket: join(folder, 'socket'),
    attachCommand: '',
    async run([command = []]) {
      if (command[0] !== 'run-shell') return '';
      await writeFile(join(folder, EXIT_FILE), '7,\n');
      await writeFile(join(folder, END_FILE), '');
      roused.resolve();
      return '';
    },
    starting: (start) => start(),
    leave: () => Promise.resolve(),
  };
  return { server, roused: roused.promise };
}

it('rouses a tmux that has missed the end of a process, also while nobody reads', async () => {
  const folder = await paneFolder('last words');
  const { server, roused } = sleepyServer(folder);
  const { pid } = spawnSync('/bin/true');
  const place = { key: newId('ses'), session: 'semo', pane: '%0', folder, pid, device: '/dev/null' };
  const told: (string | ProcessExit)[] = [];
  const exited = Promise.withResolvers<void>();
  const terminal = adoptTmuxTerminal({ server, place }).open({
    command: [],
    cwd: '/',
    env: {},
    size: { cols: 80, rows: 24 },
    onData: (bytes) => void told.push(Buffer.from(bytes).toString()),
    onExit: (exit) => {
      told.push(exit);
      exited.resolve();
    },
  });
  onTestFinished(() => terminal.close());
  terminal.pause();
  await roused;
  expect(told).toEqual([]);
  terminal.resume();
  await exited.promise;
  expect(told).toEqual(['last words', { code: 7, signal: null }]);
});

it('tells what was not read yet before the end of a pane that nobody keeps any more', async () => {
  const folder = await paneFolder('last words');
  const told: string[] = [];
  const looked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const output = new KeptOutput({
    folder,
    keepBytes: 0,
    onData: (bytes) => void told.push(Buffer.from(bytes).toString()),
    onEnd: () => {
      told.push('end');
      ended.resolve();
    },
    onLook: looked.resolve,
  });
  onTestFinished(() => output.close());
  output.pause();
  await looked.promise;
  output.giveUp();
  expect(told).toEqual([]);
  output.resume();
  await ended.promise;
  expect(told).toEqual(['last words', 'end']);
});
