import { agentEnvironment, claudeBinary, startModelServer } from '@semo-office/testbed';

import { CrowdWatch } from './crowd/crowd-watch.ts';
import { crowdStage } from './crowd/crowd-stage.ts';
import { answerTogether, promptOf, runWave, type Wave } from './crowd/numbered-jobs.ts';
import { figures } from './figures.ts';
import type { Measurement, Report, Row, Scale } from './measurement.ts';

const SESSIONS: Record<Scale, number> = { full: 100, tiny: 2 };
const WAVES = 3;
/** On a busy machine a prompt takes its time; what takes longer than this is lost. */
const JOB_TIMEOUT_MS = 300_000;

/** Many sessions of the real CLI at once: whether every job is done, what they take, and what is left of them. */
export const crowd: Measurement = {
  title: 'A crowd of real CLI sessions, each with a job at the same time, three times over',
  byNameOnly: true,
  async run(scale) {
    const count = SESSIONS[scale];
    await using model = await startModelServer({ script: answerTogether(count) });
    const watch = new CrowdWatch();
    const startedAt = performance.now();
    await using stage = await crowdStage({
      agents: [{ agentId: 'worker', agent: { kind: 'claude-stream' }, workspace: { kind: 'git', repoId: 'app' } }],
      warm: { worker: count },
      // Each session is cleared and does the next job too.
      pool: { max: count, reuse: 'clear' },
      hostEnv: { ...agentEnvironment(model), SEMO_CLAUDE_BIN: claudeBinary() },
    });
    await stage.office.ready();
    const openedMs = performance.now() - startedAt;
    const idle = watch.each(count);
    const waves: Wave[] = [];
    for (let wave = 0; wave < WAVES; wave += 1) {
      const job = (number: number) => ({
        agentId: 'worker',
        prompt: promptOf(number),
        options: { timeoutMs: JOB_TIMEOUT_MS },
      });
      waves.push(await runWave(stage.office, { first: wave * count, count, job }));
    }
    const after = watch.each(count);
    const { pool } = await stage.office.status();
    const closingAt = performance.now();
    const left = await stage.close();
    return crowdReport({ waves, left }, [
      row('all sessions opened', 's', [openedMs / 1000]),
      row(
        'a job in every session at once, to the last answer',
        's',
        waves.map(({ ms }) => ms / 1000),
      ),
      row('all sessions ended', 's', [(performance.now() - closingAt) / 1000]),
      row('memory of an idle agent (PSS)', 'MB', [idle.agent / 1e6]),
      row('memory of an agent after three jobs (PSS)', 'MB', [after.agent / 1e6]),
      row('memory of this process for each idle session (PSS)', 'MB', [idle.ours / 1e6]),
      row('sessions opened beyond the first of each', '', [pool.totals.opened - count]),
    ]);
  },
};

const row = (what: string, unit: string, values: readonly number[]): Row => ({ what, unit, figures: figures(values) });

/** A report that promises that every job was right and that nothing is left; tells what was not. */
export function crowdReport(
  { waves, left }: { readonly waves: readonly Wave[]; readonly left: readonly string[] },
  rows: readonly Row[],
): Report {
  const wrong = waves.flatMap((wave) => wave.wrong);
  for (const line of [...wrong, ...left].slice(0, 20)) console.error(line);
  const right = waves.reduce((sum, wave) => sum + wave.right, 0);
  return {
    rows,
    targets: [
      { what: 'jobs with the right answer', unit: '', value: right, promised: { atLeast: right + wrong.length } },
      { what: 'left of the sessions', unit: '', value: left.length, promised: { atMost: 0 } },
    ],
  };
}
