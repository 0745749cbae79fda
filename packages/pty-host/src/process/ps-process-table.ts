import { execFile, spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

import { sendSignal, type ProcessEntry, type ProcessTable } from './process-table.ts';

const COLUMNS = 'pid=,ppid=,pgid=,sess=,uid=,state=,lstart=';
const MAX_LIST_BYTES = 16 * 1024 * 1024;

const run = promisify(execFile);

/**
 * The processes of a machine without `/proc`, as `ps` tells them: parentage, group and session; no environment,
 * folder or limits of others, so fewer ways to recognise a process that got away.
 */
export function createPsProcessTable(): ProcessTable {
  return {
    async scan(except) {
      const { stdout } = await run('ps', ['-A', '-o', COLUMNS], { env: psEnvironment(), maxBuffer: MAX_LIST_BYTES });
      const all = parsePs(stdout);
      return { pids: new Set(all.map(({ pid }) => pid)), entries: all.filter(({ pid }) => except?.has(pid) !== true) };
    },
    find(pid) {
      const { stdout } = spawnSync('ps', ['-o', COLUMNS, '-p', String(pid)], {
        env: psEnvironment(),
        encoding: 'latin1',
      });
      return parsePs(stdout)[0] ?? null;
    },
    environment: () => null,
    workingFolder: () => null,
    limits: () => null,
    innerPid: () => null,
    children: () => [],
    signal: sendSignal,
    machine: { hostname: hostname(), bootId: '', pidNamespace: '' },
  };
}

/** Start times are printed for people: in one language, in one time zone. */
function psEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

/** Reads what `ps -o pid=,ppid=,pgid=,sess=,uid=,state=,lstart=` prints, in ascending order of pid. */
export function parsePs(output: string): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const line of output.split('\n')) {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(\S)\S*\s+(.+)$/.exec(line);
    if (fields === null) continue;
    const [, pid, ppid, pgid, session, uid, state = '', began = ''] = fields;
    entries.push({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      // Some systems print an address here: no session of ours, then.
      sid: /^\d+$/.test(session ?? '') ? Number(session) : 0,
      uid: Number(uid),
      state,
      startTime: Date.parse(`${began.trim()} UTC`) / 1000,
    });
  }
  return entries.sort((a, b) => a.pid - b.pid);
}
