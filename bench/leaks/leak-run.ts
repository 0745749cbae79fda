import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { childrenOf, ended, isUnderWay, promptOf, type LeakStage } from './leak-stage.ts';

/** How a run comes to its end. The last two leave it to the next start to clear up. */
export const ENDINGS = ['normal', 'cancel', 'timeout', 'agent-kill', 'run-kill', 'host-kill'] as const;

/** One of {@link ENDINGS}. */
export type Ending = (typeof ENDINGS)[number];

/** One run of the mix. */
export interface LeakRun {
  readonly ending: Ending;
  /** How long its helpers would sleep, by which they are found: no other run has this number. */
  readonly seconds: number;
  /** In a worktree of its own rather than in a plain folder. */
  readonly inWorktree: boolean;
  /** Runs of one lane come one after the other, and share a socket. */
  readonly lane: number;
}

/** What `semo run` says by its exit status. */
const STATUS: Readonly<Record<Ending, number | string>> = {
  normal: 0,
  cancel: 130,
  timeout: 124,
  'agent-kill': 1,
  'run-kill': 'SIGKILL',
  // Nobody can tell how the turn went on.
  'host-kill': 4,
};

/** Whether whoever ran it was killed, so that the next start has to clear up. */
export function leavesItToTheNext({ ending }: LeakRun): boolean {
  return ending === 'run-kill' || ending === 'host-kill';
}

/**
 * Runs the real CLI through `semo run`, to one of its ends.
 * @throws Error when it ended in another way than it should.
 */
export async function leakRun(stage: LeakStage, run: LeakRun): Promise<void> {
  const work = join(stage.folder, 'work', String(run.seconds));
  await mkdir(work);
  const host = run.ending === 'host-kill' ? await startHost(stage, run) : null;
  const child = stage.semo(runArguments(stage, run, work));
  const end = checkedEnd(child, run);
  if (run.ending !== 'normal') {
    const underWay = stage.model.waitForRequest((request) => isUnderWay(request, run.seconds));
    await Promise.race([underWay, overTooSoon(end, run)]);
    await bringToEnd(run, { child, host: host?.child ?? null });
  }
  await end;
  await host?.ended;
}

async function checkedEnd(child: ChildProcess, { ending }: LeakRun): Promise<void> {
  const { status, said } = await ended(child);
  if (status !== STATUS[ending]) throw new Error(`${ending}: expected ${STATUS[ending]}, got ${status}:\n${said}`);
}

async function overTooSoon(end: Promise<void>, { ending }: LeakRun): Promise<never> {
  await end;
  throw new Error(`${ending}: it was over before its helpers were up`);
}

/** Brings a host up and takes it down again: its start clears up after hosts that were killed, its own socket included. */
export async function sweepByNextStart(stage: LeakStage, { lane }: Pick<LeakRun, 'lane'>): Promise<void> {
  const host = await startHost(stage, { lane });
  host.child.kill('SIGTERM');
  await host.ended;
}

function runArguments(stage: LeakStage, { ending, seconds, inWorktree, lane }: LeakRun, work: string): string[] {
  const place =
    inWorktree && ending !== 'host-kill'
      ? ['--worktree', `agent/${seconds}`, '--workdir', stage.repository.path]
      : ['--workdir', work];
  return [
    'run',
    '--json',
    '--permission-mode',
    'bypassPermissions',
    '--persona',
    stage.personaFile,
    ...place,
    // By then its helpers are up, also on a busy machine.
    ...(ending === 'timeout' ? ['--timeout', '10s'] : []),
    ...(ending === 'host-kill' ? ['--socket', socketOf(stage, lane)] : []),
    promptOf(ending === 'normal' ? 'finish' : 'stay', seconds),
  ];
}

async function bringToEnd(
  run: LeakRun,
  { child, host }: { child: ChildProcess; host: ChildProcess | null },
): Promise<void> {
  switch (run.ending) {
    case 'cancel':
      child.kill('SIGINT');
      return;
    case 'agent-kill':
      process.kill(await agentOf(child), 'SIGKILL');
      return;
    case 'run-kill':
      child.kill('SIGKILL');
      return;
    case 'host-kill':
      host?.kill('SIGKILL');
      return;
    case 'normal':
    case 'timeout':
      return;
    default:
      throw new Error(`Unexpected ending: ${JSON.stringify(run.ending satisfies never)}`);
  }
}

/** The CLI's process: the child of `semo run` that has a session's tag in its environment. */
async function agentOf({ pid = 0 }: ChildProcess): Promise<number> {
  for (const child of await childrenOf(pid)) {
    const environment = await readFile(`/proc/${child}/environ`, 'utf8').catch(() => '');
    if (environment.includes('SEMO_SESSION_ID=')) return child;
  }
  throw new Error('The agent was not found.');
}

const socketOf = (stage: LeakStage, seconds: number): string => join(stage.folder, 'sockets', `${seconds}.sock`);

async function startHost(
  stage: LeakStage,
  { lane }: Pick<LeakRun, 'lane'>,
): Promise<{ child: ChildProcess; ended: Promise<unknown> }> {
  const child = stage.semo(['host', '--socket', socketOf(stage, lane)]);
  const end = ended(child);
  if (child.stdout !== null) await Promise.race([once(child.stdout, 'data'), end]);
  return { child, ended: end };
}
