import { readFile, readdir, readlink } from 'node:fs/promises';
import { dirname, basename, join } from 'node:path';

import type { LeakStage } from './leak-stage.ts';

/** A process that is still there. */
export interface RemainingProcess {
  readonly pid: number;
  readonly command: string;
}

/** The living helpers of these runs, by the number they were started with. */
export async function remainingHelpers(seconds: readonly number[]): Promise<RemainingProcess[]> {
  const wanted = new Set(seconds.map((number) => `sleep ${number}`));
  return (await allProcesses()).filter(({ command }) => [...wanted].some((sleep) => command.endsWith(sleep)));
}

/** Living processes that were started for this stage, whatever they have become: by command, folder or environment. */
export async function remainingProcesses({ folder, repository }: LeakStage): Promise<RemainingProcess[]> {
  const found: RemainingProcess[] = [];
  for (const entry of await allProcesses()) {
    const [cwd, environment] = await Promise.all([
      readlink(`/proc/${entry.pid}/cwd`).catch(() => ''),
      readFile(`/proc/${entry.pid}/environ`, 'utf8').catch(() => ''),
    ]);
    const marks = [entry.command, cwd, environment];
    if (marks.some((text) => text.includes(folder) || text.includes(repository.path))) found.push(entry);
  }
  return found;
}

/** Files and folders that runs have left: in the home, the state folder, among temporary files, beside and in their work. */
export async function remainingFiles({ folder, repository }: LeakStage): Promise<string[]> {
  const inStage = (await readdir(folder, { recursive: true })).filter(
    (path) => !EXPECTED.test(path) && !HISTORY.test(path),
  );
  const inRepository = (await readdir(repository.path)).filter((name) => name !== '.git' && name !== 'README.md');
  const beside = (await readdir(dirname(repository.path))).filter((name) =>
    name.startsWith(`${basename(repository.path)}.`),
  );
  const worktrees = await readdir(join(repository.path, '.git', 'worktrees')).catch(() => []);
  const exclude = await readFile(join(repository.path, '.git', 'info', 'exclude'), 'utf8').catch(() => '');
  return [
    ...inStage,
    ...inRepository.map((name) => `repository/${name}`),
    ...beside,
    ...worktrees.map((name) => `repository/.git/worktrees/${name}`),
    ...(exclude === '' ? [] : [`repository/.git/info/exclude: ${exclude}`]),
  ];
}

/** What hosts have written down of their sessions, which is to outlive them; no lock and nothing half written. */
const HISTORY = /^state\/semo(\/history(\/ses_[0-9a-f]+(\/(session|turn-turn_[0-9a-f]+)\.json)?)?)?$/;

/** What the stage itself is made of. */
const EXPECTED = /^(persona\.json|home|state|tmp|sockets|work|work\/\d+)$/;

async function allProcesses(): Promise<RemainingProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await Promise.all(
    pids.map(async (pid) => {
      const bytes = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid, command: bytes.replaceAll('\0', ' ').trim() };
    }),
  );
  return entries.filter(({ pid, command }) => command !== '' && pid !== process.pid);
}
