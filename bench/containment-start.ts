import { isSemoError, type ContainmentLevel, type SessionManager } from '@semo-office/core';

import { benchSessions, type BenchSessions } from './bench-sessions.ts';
import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';

const ROUNDS: Record<Scale, number> = { full: 30, tiny: 1 };
const LEVELS: readonly ContainmentLevel[] = ['process_group', 'pid_namespace', 'sandbox'];
const SIGN = 'agent is up';

/** What each level of containment costs at the start: from create() to the agent's first word, and from terminate() to its end. */
export const containmentStart: Measurement = {
  title: 'Containment: create() to the first word of a small program, terminate() to nothing left',
  async run(scale) {
    await using host = await benchSessions();
    const levels = await availableLevels(host);
    const taken = new Map(levels.map((level) => [level, { started: [] as number[], ended: [] as number[] }]));
    for (let round = 0; round < ROUNDS[scale]; round += 1) {
      for (const [level, { started, ended }] of taken) {
        const times = await measureOnce(host, level);
        started.push(times.started);
        ended.push(times.ended);
      }
    }
    const rows = [...taken].flatMap(([level, { started, ended }]) => [
      { what: `${level}, create() to first word`, unit: 'ms', figures: figures(started) },
      { what: `${level}, terminate()`, unit: 'ms', figures: figures(ended) },
    ]);
    return { rows, targets: [] };
  },
};

/** The levels that this machine has; what is found out once in a process's life is found out here. */
async function availableLevels(host: BenchSessions): Promise<ContainmentLevel[]> {
  const available: ContainmentLevel[] = [];
  for (const level of LEVELS) {
    try {
      await measureOnce(host, level);
      available.push(level);
    } catch (error) {
      if (!isSemoError(error, 'containment_unavailable')) throw error;
    }
  }
  return available;
}

async function measureOnce(host: BenchSessions, level: ContainmentLevel): Promise<{ started: number; ended: number }> {
  const { sessions } = host;
  const startedAt = performance.now();
  const spoken = firstWord(sessions);
  const id = await host.open(['sh', '-c', `echo ${SIGN}; exec cat`], { containment: { level } });
  const started = (await spoken) - startedAt;
  const endedAt = performance.now();
  await sessions.terminate(id);
  return { started, ended: performance.now() - endedAt };
}

/** When the only session there is says its first word. */
function firstWord(sessions: SessionManager): Promise<number> {
  return new Promise((resolve) => {
    const stop = sessions.on('output', ({ bytes }) => {
      if (!Buffer.from(bytes).includes(SIGN)) return;
      stop();
      resolve(performance.now());
    });
  });
}
