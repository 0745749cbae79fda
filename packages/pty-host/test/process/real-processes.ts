import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newId } from '@semo-office/core';

import { isAlive, type ProcessIdentity } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';

interface ShellOptions {
  readonly wrap?: (command: string[]) => string[];
  readonly cwd?: string;
  readonly tag?: boolean;
}

/** Real processes that a test starts, all ended with it. */
export class RealProcesses {
  readonly sessionId: string = newId('ses');
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), 'semo-processes-')));
  readonly #children: ChildProcess[] = [];
  readonly #spared: ProcessIdentity[] = [];

  /**
   * Starts a shell that is leader of a session of its own, as an agent in a terminal is, and waits until its script
   * has printed a line: process ids, by which the rest is found.
   */
  async shell(script: string, options: ShellOptions = {}): Promise<{ pid: number; printed: number[] }> {
    const { pid, printed } = await this.#shell(script, options);
    return { pid, printed };
  }

  /**
   * The same, and waits until that shell has ended too: only then are those that it has left behind orphans. They print
   * before that, and how long before is the machine's affair.
   */
  async orphans(script: string, options: ShellOptions = {}): Promise<number[]> {
    const { printed, ended } = await this.#shell(script, options);
    await ended;
    return printed;
  }

  async #shell(script: string, { wrap = (command) => command, cwd = '/', tag = true }: ShellOptions) {
    const [file = '', ...args] = wrap(['sh', '-c', script]);
    const child = spawn(file, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], ...(tag ? { SEMO_SESSION_ID: this.sessionId } : {}) },
    });
    this.#children.push(child);
    const ended = once(child, 'exit');
    if (child.pid === undefined) throw new Error('The shell did not start.');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const printed = line.toString().trim().split(/\s+/).map(Number);
    for (const pid of printed) this.remember(pid);
    return { pid: child.pid, printed, ended };
  }

  /** A process to end with the test, whatever the code under test did. */
  remember(pid: number): ProcessIdentity | null {
    const entry = table.find(pid);
    if (entry !== null) this.#spared.push(entry);
    return entry;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) {
      child.stdout?.destroy();
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
        table.signal(-child.pid, 'SIGKILL');
    }
    for (const identity of this.#spared) if (isAlive(table, identity)) table.signal(identity.pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
