import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { newId } from '@semo-office/core';

import { isAlive, type ProcessIdentity } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';

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
  async shell(
    script: string,
    { wrap = (command: string[]) => command, cwd = '/', tag = true } = {},
  ): Promise<{ pid: number; printed: number[] }> {
    const [file = '', ...args] = wrap(['sh', '-c', script]);
    const child = spawn(file, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], ...(tag ? { SEMO_SESSION_ID: this.sessionId } : {}) },
    });
    this.#children.push(child);
    if (child.pid === undefined) throw new Error('The shell did not start.');
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const printed = line.toString().trim().split(/\s+/).map(Number);
    for (const pid of printed) this.remember(pid);
    return { pid: child.pid, printed };
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
