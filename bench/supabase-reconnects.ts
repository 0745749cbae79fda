import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '@semo-office/core';
import { createSupabaseTransport } from '@semo-office/transport-supabase';

import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { settledMemory } from './process-memory.ts';
import { creation, keystroke } from './supabase/bench-commands.ts';
import { startBenchProject, userToken, type BenchProject } from './supabase/bench-project.ts';

const SIZES: Record<Scale, { readonly warmUp: number; readonly reconnects: number; readonly every: number }> = {
  full: { warmUp: 200, reconnects: 1000, every: 200 },
  tiny: { warmUp: 2, reconnects: 2, every: 2 },
};

/** What is left of connections that were lost: the server drops every socket, again and again. */
export const supabaseReconnects: Measurement = {
  title: 'Supabase: memory over many reconnects of an office and a host in one process',
  byNameOnly: true,
  async run(scale) {
    const { warmUp, reconnects, every } = SIZES[scale];
    await using project = await startBenchProject();
    const officeId = newId('off');
    const { url, publishableKey, secretKey } = project;
    const hosts = createSupabaseTransport({
      url,
      key: publishableKey,
      officeId,
      accessToken: () => userToken(project, { role: 'host', officeId, hostId: 'h1' }),
    });
    const host = await hosts.host({ hostId: 'h1', capacity: 1 });
    host.serve(async () => ({ success: true, result: null }));
    const offices = createSupabaseTransport({ url, key: secretKey, officeId });
    const link = offices.office();
    await link.dispatch(creation('ses_1'));
    const heap: { readonly after: number; readonly bytes: number }[] = [];
    // The office's and the host's.
    for (let count = 2; count <= reconnects; count += 2) {
      do await joined(project, officeId);
      while ((await project.ask('dropSockets')) < 2);
      await link.dispatch(keystroke('ses_1'));
      if (count === warmUp || count % every === 0) heap.push({ after: count, bytes: (await settledMemory()).ours });
    }
    await Promise.all([offices.close(), hosts.close()]);
    const [first, last] = [heap[0]?.bytes ?? Number.NaN, heap.at(-1)?.bytes ?? Number.NaN];
    return {
      rows: heap.map(({ after, bytes }) => ({
        what: `heap after ${after} reconnects`,
        unit: 'MB',
        figures: figures([bytes / 1e6]),
      })),
      targets: [
        { what: 'growth after the warm-up', unit: 'kB', value: (last - first) / 1e3, promised: { atMost: 1000 } },
      ],
    };
  },
};

/** Resolves when both ends listen. */
async function joined(project: BenchProject, officeId: string): Promise<void> {
  for (;;) {
    const topics = await project.ask('joinedTopics');
    if (topics.filter((topic) => topic.startsWith(`office:${officeId}:`)).length >= 2) return;
    await delay(10);
  }
}
