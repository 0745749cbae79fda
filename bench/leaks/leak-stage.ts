import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  hang,
  lastToolResults,
  promptTexts,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
  type GitRepository,
  type ModelRequest,
  type ModelServer,
  type ModelStep,
} from '@semo-office/testbed';

const semo = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** A machine in small: everything a run may touch is in here, so that all that stays can be found. */
export interface LeakStage extends AsyncDisposable {
  readonly model: ModelServer;
  readonly repository: GitRepository;
  /** Home, state, temporary files, sockets and working folders. */
  readonly folder: string;
  /** Where a persona is written down for `--persona`. */
  readonly personaFile: string;
  /** Starts `semo`. */
  semo(args: readonly string[]): ChildProcess;
}

/** What a prompt of a run says: whether the agent is to finish, and the number by which its helpers are found. */
export const promptOf = (ends: 'finish' | 'stay', seconds: number): string => `${ends} ${seconds}`;

function order(request: ModelRequest): { readonly ends: string; readonly seconds: string } | null {
  for (const text of promptTexts(request)) {
    const [, ends = '', seconds = ''] = /^(finish|stay) (\d+)$/m.exec(text) ?? [];
    if (ends !== '') return { ends, seconds };
  }
  return null;
}

/** Whether this request tells that the helpers of a run are up. */
export function isUnderWay(request: ModelRequest, seconds: number): boolean {
  return order(request)?.seconds === String(seconds) && lastToolResults(request).length > 0;
}

/** The agent starts two helpers that outlive it if nobody ends them: one deaf to hang-ups, one in another session without our marks. */
function answer(request: ModelRequest): ModelStep {
  const { ends, seconds } = order(request) ?? { ends: 'finish', seconds: '0' };
  if (lastToolResults(request).length > 0) return ends === 'finish' ? say('Done.') : hang();
  const command = `nohup sleep ${seconds} >/dev/null 2>&1 & setsid env -i sleep ${seconds} >/dev/null 2>&1 & echo up`;
  return useTool('Bash', { command, description: 'Start helpers' });
}

/** Sets the stage. The command must have been built. */
export async function leakStage(): Promise<LeakStage> {
  const model = await startModelServer({ script: answer });
  const root = await temporaryFolder('semo-leaks-');
  const repository = await createGitRepository();
  const folder = root.path;
  for (const name of ['home', 'state', 'tmp', 'work', 'sockets']) await mkdir(join(folder, name));
  const personaFile = join(folder, 'persona.json');
  await writeFile(personaFile, JSON.stringify({ name: 'Bea', role: 'BE', prompt: 'You write the back end.' }));
  const env = {
    ...agentEnvironment(model, { maxRetries: 0 }),
    HOME: join(folder, 'home'),
    XDG_STATE_HOME: join(folder, 'state'),
    TMPDIR: join(folder, 'tmp'),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  return {
    model,
    repository,
    folder,
    personaFile,
    semo: (args) => spawn(process.execPath, [semo, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    async [Symbol.asyncDispose]() {
      await model.close();
      await repository[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the end of a process, reading away what it prints; gives its status or signal and the newest of its words. */
export async function ended(child: ChildProcess): Promise<{ readonly status: number | string; readonly said: string }> {
  let said = '';
  const listen = (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4000));
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { status: code ?? signal ?? 'unknown', said };
}

/** The process ids of a process's children. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
