import { crowdReport } from './crowd.ts';
import { CrowdWatch, type EachTakes } from './crowd/crowd-watch.ts';
import { crowdStage } from './crowd/crowd-stage.ts';
import { makeGate } from './crowd/gate.ts';
import { promptOf, runWave } from './crowd/numbered-jobs.ts';
import { figures } from './figures.ts';
import type { Measurement, Row, Scale } from './measurement.ts';
import { programEnvironment } from './raw-terminal.ts';

const SESSIONS: Record<Scale, number> = { full: 1000, tiny: 3 };
const JOB_TIMEOUT_MS = 600_000;
/** Answers a line when the gate has opened. */
const PROGRAM = `while read -r line; do
  number=\${line##*number }
  cat "$GATE"
  echo "The number of this job is \${number%%.*}."
  echo "$SEMO_DONE_MARKER"
done`;

/** As many sessions of a light program as one process may well have at once. */
export const crowdPrograms: Measurement = {
  title: 'A crowd of sessions with a small program, each with a job at the same time',
  byNameOnly: true,
  async run(scale) {
    const count = SESSIONS[scale];
    const watch = new CrowdWatch();
    await using stage = await crowdStage({ agents: [], pool: { max: count }, hostEnv: programEnvironment });
    const gate = await makeGate(stage.folder);
    let atWork = 0;
    const allAtWork = Promise.withResolvers<EachTakes>();
    stage.office.on('attempt', ({ attempt: { delivery } }) => {
      if (delivery === 'accepted' && (atWork += 1) === count) allAtWork.resolve(watch.each(count));
    });
    const session = {
      agent: { kind: 'command', command: ['sh', '-c', PROGRAM], over: 'pipe' },
      workspace: { kind: 'path', path: stage.folder },
      environment: { set: { GATE: gate.path } },
    } as const;
    const options = { timeoutMs: JOB_TIMEOUT_MS, silenceMs: JOB_TIMEOUT_MS };
    const startedAt = performance.now();
    const done = runWave(stage.office, {
      first: 0,
      count,
      job: (number) => ({ prompt: promptOf(number), session, options }),
    });
    const each = await Promise.race([allAtWork.promise, done.then(() => allAtWork.promise)]);
    const openedMs = performance.now() - startedAt;
    await gate.open();
    const wave = await done;
    const closingAt = performance.now();
    const left = await stage.close();
    const row = (what: string, unit: string, value: number): Row => ({ what, unit, figures: figures([value]) });
    return crowdReport({ waves: [wave], left }, [
      row('until all sessions were open and at work', 's', openedMs / 1000),
      row('from then until all jobs had ended', 's', (wave.ms - openedMs) / 1000),
      row('the rest of their end', 's', (performance.now() - closingAt) / 1000),
      row('memory of the processes of a session (PSS)', 'MB', each.agent / 1e6),
      row('memory of this process for each session (PSS)', 'MB', each.ours / 1e6),
    ]);
  },
};
