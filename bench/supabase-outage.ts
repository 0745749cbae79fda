import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '@semo-office/core';

import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { openBenchOffice, settled, type BenchOffice } from './supabase/bench-office.ts';
import { startBenchProject, type BenchProject } from './supabase/bench-project.ts';
import { sharedClockMs } from './shared-clock.ts';

const SIZES: Record<Scale, { readonly outagesMs: readonly number[]; readonly rounds: number }> = {
  full: { outagesMs: [1000, 5000, 30_000], rounds: 5 },
  tiny: { outagesMs: [50], rounds: 1 },
};

/** How soon a host is at work again after the way to the project was away: it has a command waiting by then. */
export const supabaseOutage: Measurement = {
  title: 'Supabase: from the network being back to the handler of a command that waits',
  async run(scale) {
    const { outagesMs, rounds } = SIZES[scale];
    await using project = await startBenchProject();
    await using office = await openBenchOffice(project, { hosts: 1, processes: 1, sessions: 1 });
    await settled(project, office);
    const times = new Map(outagesMs.map((ms) => [ms, [] as number[]]));
    for (let round = 0; round < rounds; round += 1)
      for (const [ms, found] of times) {
        found.push(await returnTime(project, { office, outageMs: ms }));
        if (scale === 'full') await delay(3000);
      }
    const all = [...times.values()].flat();
    return {
      rows: [...times].map(([ms, found]) => ({
        what: `after ${ms / 1000} s without a network`,
        unit: 'ms',
        figures: figures(found),
      })),
      targets: [{ what: 'the slowest', unit: 'ms', value: Math.max(...all), promised: { atMost: 1000 } }],
    };
  },
};

interface Outage {
  readonly office: BenchOffice;
  readonly outageMs: number;
}

/** The office is cut off too, so the command is put into the database beside it, and its answer read there. */
async function returnTime(project: BenchProject, { office, outageMs }: Outage): Promise<number> {
  const { officeId, sessionIds } = office;
  const commandId = newId('cmd');
  await project.ask('cutNetwork');
  await delay(outageMs);
  const payload = JSON.stringify({ kind: 'send_keystrokes', sessionId: sessionIds[0], keys: ['Enter'] });
  // Asked for in the name of the service, as postgres is one.
  await project.ask(
    'sql',
    `select public.semo_enqueue_command('${officeId}', '${commandId}', 'send_keystrokes', '${payload}', '${sessionIds[0]}')`,
  );
  await project.ask('restoreNetwork');
  const backAt = sharedClockMs();
  for (;;) {
    const rows = await project.ask(
      'sql',
      `select result from public.agent_command_results where office_id = '${officeId}' and command_id = '${commandId}'`,
    );
    const { toldAt } = (rows[0]?.['result'] ?? {}) as { readonly toldAt?: number };
    if (toldAt !== undefined) return toldAt - backAt;
    await delay(20);
  }
}
