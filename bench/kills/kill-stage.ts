import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  startModelServer,
  temporaryFolder,
  type GitRepository,
  type ModelServer,
} from '@semo-office/testbed';

import { killModel } from './kill-model.ts';
import type { OfficeArguments } from './office-main.ts';

const fromSources = new URL('../../tools/from-sources.ts', import.meta.url).href;
const officeMain = fileURLToPath(new URL('office-main.ts', import.meta.url));
const semo = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** A process of ours that can be killed. */
export interface Victim {
  /** Resolves when it is at work. @throws Error when it ends before. */
  readonly ready: Promise<void>;
  readonly child: ChildProcess;
  /** Ends it with a signal, and resolves when it is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** The newest of what it has said on its error output. */
  said(): string;
}

/** A machine in small: everything the processes touch is in here. */
export interface KillStage extends AsyncDisposable {
  readonly model: ModelServer;
  readonly repository: GitRepository;
  readonly folder: string;
  readonly journals: string;
  readonly socket: string;
  readonly store: string;
  readonly ends: string;
  /** Starts an office: over the host's socket, or one that is its own host. */
  office(over: 'socket' | 'itself'): Victim;
  host(): Victim;
}

/** Sets the stage. */
export async function killStage({ workMs }: { readonly workMs: number }): Promise<KillStage> {
  const root = await temporaryFolder('semo-kills-');
  const folder = root.path;
  const names = ['home', 'state', 'tmp', 'journals', 'worktrees'] as const;
  for (const name of names) await mkdir(join(folder, name));
  const journals = join(folder, 'journals');
  const model = await startModelServer({ script: killModel({ journals, workMs }) });
  const repository = await createGitRepository();
  const env = {
    ...agentEnvironment(model),
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, 'state'),
    TMPDIR: join(folder, 'tmp'),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  const socket = join(folder, 'host.sock');
  const store = join(folder, 'office.sqlite');
  const ends = join(folder, 'ends');
  const worktrees = join(folder, 'worktrees');
  const place = { store, repository: repository.path, worktrees, ends };
  return {
    model,
    repository,
    folder,
    journals,
    socket,
    store,
    ends,
    office(over) {
      const told: OfficeArguments = { ...place, socket: over === 'socket' ? socket : null };
      // Its store has a thread, which is told by the environment alone.
      const officeEnv = { ...env, NODE_OPTIONS: `--import=${fromSources}` };
      return victim([officeMain, JSON.stringify(told)], { env: officeEnv, cwd: folder });
    },
    host() {
      const repo = `app=${repository.path}`;
      const args = [semo, 'host', '--socket', socket, '--repo', repo, '--worktrees', worktrees];
      return victim([`--import=${fromSources}`, ...args], { env, cwd: folder });
    },
    async [Symbol.asyncDispose]() {
      await model.close();
      await repository[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

function victim(args: readonly string[], { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string }): Victim {
  const child = spawn(process.execPath, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = once(child, 'close');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-8000)));
  const ready = Promise.race([
    once(child.stdout, 'data').then(() => undefined),
    gone.then(() => Promise.reject(new Error(`It ended before it was at work. ${said}`))),
  ]);
  ready.catch(() => undefined);
  child.stdout.resume();
  return {
    child,
    ready,
    said: () => said,
    async end(signal) {
      child.kill(signal);
      await gone;
    },
  };
}
