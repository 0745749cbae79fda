import { setTimeout as rest } from 'node:timers/promises';
import type { AgentProfile, PoolStrategy } from '@semo-office/core';
import { agentEnvironment, claudeBinary, say, startModelServer, type ModelServer } from '@semo-office/testbed';

import { crowdStage, type CrowdStage } from './crowd/crowd-stage.ts';
import { descendants, processorMs, proportionalBytes } from './crowd/process-tree.ts';
import { figures, median } from './figures.ts';
import type { Measurement, Row, Scale } from './measurement.ts';

type Kind = 'claude' | 'claude-stream';

const ROUNDS: Record<Scale, number> = { full: 9, tiny: 1 };
/** The first job asks the CLI for its version. */
const UNCOUNTED: Record<Scale, number> = { full: 1, tiny: 0 };
/** Claude Code goes on with its start for a while after it has said that it takes prompts. */
const REST_MS: Record<Scale, number> = { full: 2000, tiny: 0 };
const IDLE_MS: Record<Scale, number> = { full: 10_000, tiny: 100 };
const PROMISED_MS: Record<Kind, number> = { claude: 250, 'claude-stream': 60 };

/** How soon an agent has the prompt of a job that nobody knew of before. */
export const firstJob: Measurement = {
  title:
    'From executeJob to an accepted prompt, with a session kept ready and without; and what keeping it ready costs',
  async run(scale) {
    await using model = await startModelServer({ script: () => say('Done.') });
    const rows: Row[] = [];
    const targets = [];
    for (const kind of ['claude', 'claude-stream'] as const) {
      const warm = await accepted(model, { kind, strategy: 'hybrid' }, scale);
      const cold = await accepted(model, { kind, strategy: 'on-demand' }, scale);
      const [value, slow] = [median(warm), median(cold)];
      rows.push(row(`${kind}, warm`, 'ms', warm), row(`${kind}, cold`, 'ms', cold));
      rows.push(row(`${kind}, cold to warm`, 'times', [slow / value]));
      targets.push({ what: `${kind}, warm`, unit: 'ms', value, promised: { atMost: PROMISED_MS[kind] } });
    }
    for (const strategy of ['warm', 'on-demand', 'hybrid'] as const) rows.push(...(await idle(model, strategy, scale)));
    return { rows, targets };
  },
};

const row = (what: string, unit: string, values: readonly number[]): Row => ({ what, unit, figures: figures(values) });

function stageOf(model: ModelServer, { kind, strategy }: { kind: Kind; strategy: PoolStrategy }): Promise<CrowdStage> {
  const agent: AgentProfile['agent'] = { kind, permissionMode: 'acceptEdits' };
  return crowdStage({
    agents: [{ agentId: 'FE', agent, workspace: { kind: 'git', repoId: 'app' } }],
    warm: { FE: 1 },
    pool: { strategy },
    hostEnv: { ...agentEnvironment(model), SEMO_CLAUDE_BIN: claudeBinary() },
  });
}

/** Milliseconds from `executeJob` until the office has told that the agent has the prompt, job after job. */
async function accepted(
  model: ModelServer,
  how: { readonly kind: Kind; readonly strategy: PoolStrategy },
  scale: Scale,
): Promise<number[]> {
  await using stage = await stageOf(model, how);
  await stage.office.ready();
  const times: number[] = [];
  const rounds = UNCOUNTED[scale] + ROUNDS[scale];
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await quiet(stage, how.strategy === 'on-demand' ? 0 : 1);
    await rest(REST_MS[scale]);
    times.push(await oneJob(stage));
  }
  return times.slice(UNCOUNTED[scale]);
}

async function oneJob({ office }: CrowdStage): Promise<number> {
  const time = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const off = office.on('attempt', ({ attempt }) => {
    if (attempt.delivery === 'accepted') time.resolve(performance.now() - startedAt);
  });
  const { outcome, error } = await office.executeJob({ agentId: 'FE', prompt: 'Say that you are done.' });
  off();
  if (outcome !== 'completed') throw new Error(`A job has ${outcome}: ${error?.message}`);
  return time.promise;
}

/** Resolves when the pool is as it was before the job: its session gone, another one ready. */
async function quiet({ office }: CrowdStage, warm: number): Promise<void> {
  for (;;) {
    const { pool } = await office.status();
    if (pool.opening + pool.ending + pool.inUse === 0 && pool.warmIdle === warm) return;
    await rest(20);
  }
}

/** What an office with nothing to do takes, its agents alone. */
async function idle(model: ModelServer, strategy: PoolStrategy, scale: Scale): Promise<Row[]> {
  await using stage = await stageOf(model, { kind: 'claude-stream', strategy });
  await stage.office.ready();
  const first = await oneJob(stage);
  await quiet(stage, strategy === 'on-demand' ? 0 : 1);
  const agents = descendants();
  const before = processorMs([...agents, process.pid]);
  const since = performance.now();
  await rest(IDLE_MS[scale]);
  const share = (processorMs([...agents, process.pid]) - before) / (performance.now() - since);
  return [
    row(`${strategy}: the first job of all, accepted`, 'ms', [first]),
    row(`${strategy}: memory of idle agents (PSS)`, 'MB', [proportionalBytes(agents) / 1e6]),
    row(`${strategy}: processor while idle, ours included`, '%', [share * 100]),
  ];
}
