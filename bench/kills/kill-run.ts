import { setTimeout as pause } from 'node:timers/promises';
import { SemoError, createOffice, remoteSessions, type JobRecord, type JobStore } from '@semo-office/core';
import { openSqliteStore } from '@semo-office/store-sqlite';
import { connectToSocket } from '@semo-office/transport-local';

import { killPlan, type Kill, type KillOptions } from './kill-plan.ts';
import { promptOf } from './kill-model.ts';
import { killReport, type KillReport } from './kill-report.ts';
import { killStage, type KillStage, type Victim } from './kill-stage.ts';

/** Jobs that take longer than this after the last kill are stuck. */
const LAST_JOBS_WITHIN_MS = 180_000;

type Living = Map<Kill['victim'], Victim>;

/**
 * Has jobs done while processes are killed, and finds out what became of them.
 * @example
 * const { faults } = await killRun({ target: 'both', moments: 50, jobs: 20, seed: 1 });
 */
export async function killRun(
  options: KillOptions,
  tell: (line: string) => void = () => undefined,
): Promise<KillReport> {
  await using stage = await killStage(options);
  const startedAt = Date.now();
  const store = await openSqliteStore({ path: stage.store });
  const { jobs } = store;
  const living: Living = new Map();
  try {
    if (options.target !== 'local') await start(stage, living, { victim: 'host', target: options.target });
    await start(stage, living, { victim: 'office', target: options.target });
    await killAll(stage, living, { ...options, store: jobs, tell });
    await untilAllEnded(jobs, options.jobs);
    const records = await jobs.list();
    await living.get('office')?.end('SIGTERM');
    const leftSessions = options.target === 'local' ? [] : await sessionsLeft(stage);
    await living.get('host')?.end('SIGTERM');
    return await killReport(stage, { options, records, after: await jobs.list(), leftSessions, startedAt });
  } catch (error) {
    const said = [...living].map(([name, victim]) => `${name}: ${victim.said()}`).join('\n');
    throw new Error(`${SemoError.from(error).message}\n${said}\n${await shown(jobs)}`, { cause: error });
  } finally {
    for (const { child } of living.values()) child.kill('SIGKILL');
    await store.close();
  }
}

async function start(
  stage: KillStage,
  living: Living,
  { victim, target }: { victim: Kill['victim']; target: KillOptions['target'] },
): Promise<void> {
  const started = victim === 'host' ? stage.host() : stage.office(target === 'local' ? 'itself' : 'socket');
  living.set(victim, started);
  await started.ready;
}

/** Kills as planned. Jobs come one by one, so that there is work at every moment. */
async function killAll(
  stage: KillStage,
  living: Living,
  run: KillOptions & { readonly store: JobStore; readonly tell: (line: string) => void },
): Promise<void> {
  let put = 0;
  const putUntil = async (count: number): Promise<void> => {
    for (; put < Math.min(count, run.jobs); put += 1) await putJob(run.store, put);
  };
  for (const [index, kill] of killPlan(run).entries()) {
    await putUntil(Math.ceil(((index + 1) * run.jobs) / run.moments) + 1);
    await pause(kill.afterMs);
    await living.get(kill.victim)?.end('SIGKILL');
    const ended = (await run.store.list({ state: ['ended'] })).length;
    run.tell(`${index + 1}: killed the ${kill.victim} after ${kill.afterMs} ms; ${ended} of ${put} jobs have ended`);
    await pause(kill.awayMs);
    await start(stage, living, { victim: kill.victim, target: run.target });
  }
  await putUntil(run.jobs);
}

async function putJob(store: JobStore, number: number): Promise<void> {
  const jobId = `job-${String(number + 1).padStart(3, '0')}`;
  await store.put({ jobId, prompt: promptOf(jobId), agentId: number % 2 === 0 ? 'FE' : 'BE' });
}

async function untilAllEnded(store: JobStore, count: number): Promise<void> {
  const until = Date.now() + LAST_JOBS_WITHIN_MS;
  while ((await store.list({ state: ['ended'] })).length < count) {
    if (Date.now() > until) throw new Error('There are jobs that do not end.');
    await pause(100);
  }
}

/** What the host still has when the last office is closed. */
async function sessionsLeft({ socket }: KillStage): Promise<string[]> {
  const office = createOffice({ sessions: remoteSessions(await connectToSocket({ path: socket })) });
  const left = (await office.sessions.list()).filter(({ status }) => status !== 'terminated');
  await office.close();
  return left.map(({ sessionId, status, owner = 'nobody' }) => `${sessionId} of ${owner} is ${status}`);
}

async function shown(store: JobStore): Promise<string> {
  const open = (await store.list()).filter(({ state }) => state.kind !== 'ended');
  return open.map((record: JobRecord) => JSON.stringify(record)).join('\n');
}
