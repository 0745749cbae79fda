import { Client } from 'pg';

import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { startBenchProject, type BenchProject } from './supabase/bench-project.ts';

interface Sizes {
  readonly hosts: number;
  readonly lanes: number;
  readonly rounds: number;
  readonly histories: readonly number[];
  readonly samples: number;
}

const SIZES: Record<Scale, Sizes> = {
  full: { hosts: 16, lanes: 32, rounds: 15, histories: [1000, 100_000, 1_000_000], samples: 2000 },
  tiny: { hosts: 2, lanes: 2, rounds: 1, histories: [10, 20], samples: 4 },
};
const CONNECTIONS = 4;
const LEASE_MS = 3_600_000;

/** How fast the database hands out commands, by itself and behind a long history. */
export const supabaseClaims: Measurement = {
  title: 'Supabase: commands that the database hands out, by SQL alone',
  async run(scale) {
    const { hosts, lanes, rounds, histories, samples } = SIZES[scale];
    await using project = await startBenchProject();
    const epochs = await fill(project, { hosts, lanes });
    await claimAll(project, epochs);
    const rates: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await handBack(project);
      rates.push(await claimAll(project, epochs));
    }
    const byHistory: { readonly history: number; readonly ms: number }[] = [];
    for (const history of histories) {
      await addHistory(project, history);
      byHistory.push({ history, ms: await claimTime(project, { epoch: epochs[0] ?? '', samples }) });
    }
    const [short, long] = [byHistory[0]?.ms ?? Number.NaN, byHistory.at(-1)?.ms ?? Number.NaN];
    const rate = figures(rates);
    return {
      rows: [
        { what: `one by one, from ${hosts * lanes} lanes of ${hosts} hosts`, unit: '/s', figures: rate },
        ...byHistory.map(({ history, ms }) => ({
          what: `one claim behind ${history} old commands`,
          unit: 'ms',
          figures: figures([ms]),
        })),
      ],
      targets: [
        { what: 'commands handed out a second', unit: '/s', value: rate.median, promised: { atLeast: 1500 } },
        { what: 'the longest history to the shortest', unit: '', value: long / short, promised: { atMost: 1.5 } },
      ],
    };
  },
};

/** Hosts with one prompt in each of their sessions. Gives their epochs. */
async function fill(
  project: BenchProject,
  { hosts, lanes }: { readonly hosts: number; readonly lanes: number },
): Promise<string[]> {
  const epochs: string[] = [];
  for (let host = 0; host < hosts; host += 1) {
    const [row] = await project.ask(
      'sql',
      `select epoch from public.semo_register_host('acme', 'h${host}', 1, 1000, p_lease_ms => ${LEASE_MS})`,
    );
    epochs.push(String(row?.['epoch']));
  }
  await project.ask(
    'sql',
    `insert into public.agent_sessions (office_id, session_id, host_id, status, info, last_seq)
       select 'acme', 's' || h || '_' || l, 'h' || h, 'ready', '{}', 1
       from generate_series(0, ${hosts - 1}) h, generate_series(1, ${lanes}) l;
     insert into public.agent_commands
       (office_id, command_id, session_id, host_id, kind, lane, seq, payload, expires_at)
       select 'acme', 'c' || h || '_' || l, 's' || h || '_' || l, 'h' || h, 'send_prompt', 'turn', 1,
         jsonb_build_object('kind', 'send_prompt', 'turnId', 'turn_1', 'prompt', repeat('Make the test green. ', 25)),
         semo.after_ms(${LEASE_MS})
       from generate_series(0, ${hosts - 1}) h, generate_series(1, ${lanes}) l`,
  );
  return epochs;
}

/** Nobody has them any more, and nobody is told of it. */
async function handBack(project: BenchProject): Promise<void> {
  await project.ask(
    'sql',
    `alter table public.agent_commands disable trigger user;
     update public.agent_commands set status = 'pending', attempts = 0, lease_epoch = null, lease_token = null,
       lease_expires_at = null where status = 'processing';
     alter table public.agent_commands enable trigger user`,
  );
  await project.ask('sql', 'vacuum analyze public.agent_commands');
}

/** Claims until nothing is left, one command a call. Gives the rate a second. */
async function claimAll(project: BenchProject, epochs: readonly string[]): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connect(project)));
  await Promise.all(clients.map((client) => claim(client, { host: 0, epoch: '-1' }).catch(() => 0)));
  let claimed = 0;
  const startedAt = performance.now();
  const work = async (client: Client, place: number): Promise<void> => {
    for (let host = place; host < epochs.length; host += CONNECTIONS)
      for (;;) {
        const found = await claim(client, { host, epoch: epochs[host] ?? '' });
        if (found === 0) break;
        claimed += found;
      }
  };
  await Promise.all(clients.map(work));
  const rate = claimed / ((performance.now() - startedAt) / 1000);
  await Promise.all(clients.map((client) => client.end()));
  return rate;
}

/** The middle of many claims of one command, in milliseconds. */
async function claimTime(
  project: BenchProject,
  { epoch, samples }: { readonly epoch: string; readonly samples: number },
): Promise<number> {
  await handBack(project);
  const client = await connect(project);
  await client.query('alter table public.agent_commands disable trigger user');
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const startedAt = performance.now();
    const found = await claim(client, { host: 0, epoch });
    times.push(performance.now() - startedAt);
    if (found !== 1) throw new Error('A command that waits was not handed out.');
    await client.query(
      `update public.agent_commands set status = 'pending', attempts = 0
       where office_id = 'acme' and host_id = 'h0' and status = 'processing'`,
    );
  }
  await client.query('alter table public.agent_commands enable trigger user');
  await client.end();
  return figures(times).median;
}

/** Commands that were answered long ago, up to so many. */
async function addHistory(project: BenchProject, count: number): Promise<void> {
  await project.ask(
    'sql',
    `alter table public.agent_commands disable trigger user;
     insert into public.agent_commands
       (office_id, command_id, session_id, host_id, kind, lane, seq, status, attempts, expires_at, ended_at)
     select 'acme', 'old_' || n, 's0_' || n % 8, 'h0', 'send_prompt', 'turn', n + 1, 'completed', 1, semo.now(), semo.now()
     from generate_series((select count(*) from public.agent_commands where status = 'completed') + 1, ${count}) n;
     alter table public.agent_commands enable trigger user`,
  );
}

async function connect({ databaseUrl }: BenchProject): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return client;
}

async function claim(
  client: Client,
  { host, epoch }: { readonly host: number; readonly epoch: string },
): Promise<number> {
  const { rowCount } = await client.query({
    name: 'claim',
    text: 'select * from public.semo_claim_commands($1, $2, $3, 1, $4)',
    values: ['acme', `h${host}`, epoch, LEASE_MS],
  });
  return rowCount ?? 0;
}
