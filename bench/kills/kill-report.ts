import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '@semo-office/core';

import { remainingProcesses } from '../leaks/leak-remains.ts';
import { arrivals, type Arrival } from './kill-model.ts';
import type { KillOptions } from './kill-plan.ts';
import type { KillStage } from './kill-stage.ts';

/** What came of a run. */
export interface KillReport extends KillOptions {
  readonly durationMs: number;
  /** How many jobs ended in which way. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Why attempts were made, the first ones included. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Prompts that reached the model; `fresh`: told as if nothing had come before. */
  readonly prompts: { readonly all: number; readonly fresh: number };
  /** Jobs that did not complete, and what they say why. */
  readonly reasons: readonly string[];
  /** What must not be. Empty: all is well. */
  readonly faults: readonly string[];
}

/** What is known when everything has been closed. */
export interface KillFindings {
  readonly options: KillOptions;
  /** The jobs once all had ended, and again after everything was closed. */
  readonly records: readonly JobRecord[];
  readonly after: readonly JobRecord[];
  readonly leftSessions: readonly string[];
  readonly startedAt: number;
}

/** Compares what jobs say of themselves with what has reached the model and the disk. */
export async function killReport(stage: KillStage, findings: KillFindings): Promise<KillReport> {
  const { options, records, after, leftSessions, startedAt } = findings;
  const told = arrivals(stage.model.messages);
  const ends = (await readFile(stage.ends, 'utf8').catch(() => '')).split('\n');
  const ofJobs = await Promise.all(
    records.map(async (record) => {
      const journal = await readFile(join(stage.journals, record.jobId), 'utf8').catch(() => '');
      return jobFaults(record, {
        told: told.filter(({ jobId }) => jobId === record.jobId),
        lines: journal.split('\n').filter(Boolean).length,
        endsTold: ends.filter((line) => line.startsWith(`${record.jobId} `)).length,
      });
    }),
  );
  const processes = await remainingProcesses(stage);
  return {
    ...options,
    durationMs: Date.now() - startedAt,
    outcomes: counted(records.map((record) => resultOf(record)?.outcome ?? 'none')),
    attempts: counted(records.flatMap(({ attempts }) => attempts.map(({ reason }) => reason))),
    prompts: { all: told.length, fresh: told.filter(({ isFresh }) => isFresh).length },
    reasons: records.flatMap((record) => {
      const error = resultOf(record)?.error;
      return error ? [`${record.jobId}: ${error.code}: ${error.message}`] : [];
    }),
    faults: [
      ...ofJobs.flat(),
      ...(records.length === options.jobs ? [] : [`${records.length} of ${options.jobs} jobs are kept`]),
      ...(JSON.stringify(records) === JSON.stringify(after) ? [] : ['a job has changed after its end']),
      ...leftSessions.map((session) => `left on the host: session ${session}`),
      ...processes.map(({ pid, command }) => `left on the machine: ${pid} ${command}`),
    ],
  };
}

interface JobTruth {
  readonly told: readonly Arrival[];
  /** How often its work was done. */
  readonly lines: number;
  readonly endsTold: number;
}

function jobFaults(record: JobRecord, { told, lines, endsTold }: JobTruth): string[] {
  const { jobId, attempts } = record;
  const result = resultOf(record);
  const fresh = told.filter(({ isFresh }) => isFresh).length;
  const ended = attempts.filter(({ endedAt }) => endedAt !== null).length;
  const rules: readonly (readonly [boolean, string])[] = [
    [result !== null, 'has not ended'],
    [result?.outcome === 'completed' || Boolean(result?.error), 'ended without a reason'],
    [result?.outcome !== 'completed' || lines === 1, `completed, and its work was done ${lines} times`],
    [lines <= 1, `its work was done ${lines} times`],
    [endsTold <= 1, `its end was told ${endsTold} times`],
    // A prompt that is told as new a second time would be one that has arrived, and was taken for lost.
    [fresh <= 1, `its prompt reached the model ${fresh} times as if for the first time`],
    [told.length <= attempts.length, `${told.length} prompts reached the model, in ${attempts.length} attempts`],
    [result?.attempts.length === ended, `its result tells of ${result?.attempts.length} of ${ended} attempts`],
  ];
  return rules.flatMap(([holds, fault]) => (holds ? [] : [`${jobId}: ${fault}. ${JSON.stringify(attempts)}`]));
}

function resultOf({ state }: JobRecord) {
  return state.kind === 'ended' ? state.result : null;
}

function counted(names: readonly string[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const name of names) count[name] = (count[name] ?? 0) + 1;
  return count;
}
