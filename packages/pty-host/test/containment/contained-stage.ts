import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import {
  newId,
  type ContainmentLevel,
  type ContainmentSpec,
  type SessionInfo,
  type SessionManager,
  type SessionSpec,
} from '@semo-office/core';
import { createGitRepository, temporaryFolder, type GitRepository, optionalTool } from '@semo-office/testbed';

import { createPtySessionManager, type PtySessionManagerOptions } from '../../src/index.ts';
import { identify, isAlive, type ProcessIdentity } from '../../src/process/process-table.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';

/** Shells in git worktrees, contained. */
export interface ContainedStage extends AsyncDisposable {
  readonly sessions: SessionManager;
  readonly repository: GitRepository;
  readonly stateDir: string;
  readonly home: string;
  /** Opens a shell that reads commands from pipes, in a worktree on a branch of its own. */
  open(containment?: ContainmentSpec, more?: Partial<SessionSpec>): Promise<SessionInfo>;
  /** Runs a command in it; gives all that was printed. */
  run(sessionId: string, command: string): Promise<string>;
}

/** Sets the stage; `await using` takes everything down again. */
export async function containedStage(options: PtySessionManagerOptions = {}): Promise<ContainedStage> {
  const repository = await createGitRepository();
  const state = await temporaryFolder('semo-state-');
  const home = await temporaryFolder('semo-home-');
  const sessions = createPtySessionManager({
    stateDir: state.path,
    repositories: { app: repository.path },
    hostEnv: { ...process.env, HOME: home.path },
    ...options,
  });
  return {
    sessions,
    repository,
    stateDir: state.path,
    home: home.path,
    open: (containment, more = {}) => {
      const sessionId = newId('ses');
      return sessions.create({
        sessionId,
        agent: { kind: 'command', command: ['bash', '--noprofile', '--norc'], over: 'pipe' },
        workspace: { kind: 'git', repoId: 'app', branch: `agent/${sessionId.replaceAll('_', '-')}`, retain: 'dirty' },
        ...(containment === undefined ? {} : { containment }),
        ...more,
      });
    },
    async run(sessionId, command) {
      const { turnId } = await sessions.sendPrompt(sessionId, `${command}; echo "$SEMO_DONE_MARKER"`);
      const turn = await sessions.waitForTurn(sessionId, turnId, { timeoutMs: 30_000 });
      return turn.text;
    },
    async [Symbol.asyncDispose]() {
      await sessions.close();
      for (const each of [repository, state, home]) await each[Symbol.asyncDispose]();
    },
  };
}

/** Processes whose command line has a word, as they are seen from here. */
export async function processesWith(word: string): Promise<ProcessIdentity[]> {
  const { pids } = await table.scan();
  const found = await Promise.all([...pids].map(async (pid) => [pid, await commandLine(pid)] as const));
  return found.flatMap(([pid, line]) => (line.includes(word) ? (identify(table, pid) ?? []) : []));
}

/** Those of them that live. */
export function alive(processes: readonly ProcessIdentity[]): ProcessIdentity[] {
  return processes.filter((each) => isAlive(table, each));
}

async function commandLine(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}

const bwrap = optionalTool('bwrap');
const user = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user'];

/** Why tests of a level are skipped here, for their titles; empty where it can be had. Asked without any code of ours. */
export const skipped: Readonly<Record<ContainmentLevel, string>> = {
  process_group: '',
  pid_namespace: refusal('unshare', [...user, '--pid', '--fork', '--mount-proc', 'true']),
  sandbox: bwrap.reason || refusal('bwrap', ['--ro-bind', '/', '/', '--proc', '/proc', '--unshare-pid', 'true']),
  // The stand-in is made of such a namespace.
  container: refusal('unshare', [...user, '--pid', '--fork', '--mount-proc', 'true']),
};

function refusal(program: string, args: readonly string[]): string {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? '' : ` (skipped: this machine forbids it: ${stderr ?? ''})`;
}
