import { newId, type Command } from '@semo-office/core';
import { createSupabaseTransport } from '@semo-office/transport-supabase';

import { figures, percentile } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { startBenchProject, userToken, type BenchProject } from './supabase/bench-project.ts';
import { creation, keystroke } from './supabase/bench-commands.ts';

const SIZES: Record<Scale, { readonly rotations: number; readonly lifeS: number }> = {
  full: { rotations: 24, lifeS: 3 },
  tiny: { rotations: 1, lifeS: 2 },
};

/** Whether commands go on flowing while tokens are over after 3 s and partitions of `realtime.messages` come and go. */
export const supabaseTokens: Measurement = {
  title: 'Supabase: commands while the tokens of both ends are replaced again and again',
  byNameOnly: true,
  async run(scale) {
    const { rotations, lifeS } = SIZES[scale];
    await using project = await startBenchProject();
    const ends = openEnds(project, lifeS);
    const told: string[] = [];
    const host = await ends.hosts.host({ hostId: 'h1', capacity: 1 });
    host.serve(async ({ commandId }) => {
      told.push(commandId);
      return { success: true, result: null };
    });
    const link = ends.offices.office();
    const asked: string[] = [];
    const times: number[] = [];
    const ask = async (command: Command): Promise<void> => {
      const askedAt = performance.now();
      asked.push(command.commandId);
      await link.dispatch(command);
      times.push(performance.now() - askedAt);
    };
    await ask(creation('ses_1'));
    for (let rotation = 0; rotation < rotations; rotation += 1) {
      const before = { ...ends.fetched };
      await project.ask('maintainPartitions', rotation % 2 === 0 ? 2 : 0);
      while (ends.fetched.host === before.host || ends.fetched.office === before.office) await ask(keystroke('ses_1'));
    }
    await Promise.all([ends.offices.close(), ends.hosts.close()]);
    const missed = asked.filter(
      (commandId) => told.indexOf(commandId) !== told.lastIndexOf(commandId) || !told.includes(commandId),
    );
    return {
      rows: [
        { what: 'asked to answered, p50', unit: 'ms', figures: figures([percentile(times, 0.5)]) },
        { what: 'asked to answered, the slowest', unit: 'ms', figures: figures([Math.max(...times)]) },
        { what: 'commands', unit: '', figures: figures([asked.length]) },
        { what: 'channels that the server closed', unit: '', figures: figures([ends.problems.length]) },
      ],
      targets: [
        { what: 'commands missed, or carried out twice', unit: '', value: missed.length, promised: { atMost: 0 } },
        { what: 'rotations', unit: '', value: ends.fetched.host - 1, promised: { atLeast: rotations } },
      ],
    };
  },
};

function openEnds(project: BenchProject, lifeS: number) {
  const officeId = newId('off');
  const fetched = { office: 0, host: 0 };
  const problems: string[] = [];
  const { url, publishableKey: key } = project;
  const endOf = (role: 'office' | 'host') =>
    createSupabaseTransport({
      url,
      key,
      officeId,
      onProblem: ({ message }) => problems.push(message),
      accessToken() {
        fetched[role] += 1;
        return userToken(project, { role, officeId, hostId: 'h1', lifeS });
      },
    });
  return { offices: endOf('office'), hosts: endOf('host'), fetched, problems };
}
