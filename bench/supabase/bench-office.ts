import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newId } from '@semo-office/core';
import { createSupabaseTransport } from '@semo-office/transport-supabase';

import { sharedClockMs } from '../shared-clock.ts';
import { creation, prompt } from './bench-commands.ts';
import { userToken, type BenchProject } from './bench-project.ts';
import type { HostAnswer, HostsInput } from './host-main.ts';

const hostMain = fileURLToPath(new URL('host-main.ts', import.meta.url));

/** How an office is laid out. */
export interface OfficeShape {
  readonly hosts: number;
  /** Over how many processes the hosts are spread. */
  readonly processes: number;
  readonly sessions: number;
  readonly realtime?: boolean;
}

/** How long a command took to its host and back, in milliseconds. */
export interface CommandTimes {
  readonly there: number;
  readonly back: number;
}

/** An office in this process with hosts in others. */
export interface BenchOffice extends AsyncDisposable {
  readonly officeId: string;
  readonly hostCount: number;
  readonly sessionIds: readonly string[];
  /** Sends a prompt to a session, and waits for the host's answer. */
  ask(sessionId: string): Promise<CommandTimes>;
}

export async function openBenchOffice(project: BenchProject, shape: OfficeShape): Promise<BenchOffice> {
  const { hosts: count, processes, sessions, realtime = true } = shape;
  const officeId = newId('off');
  const { url, publishableKey, secretKey } = project;
  const hosts = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const hostId = `host-${index}`;
      return { hostId, token: await userToken(project, { role: 'host', officeId, hostId }) };
    }),
  );
  const children = await Promise.all(
    Array.from({ length: processes }, (_, index) => {
      const own = hosts.filter((_host, place) => place % processes === index);
      return startHosts({ url, key: publishableKey, officeId, hosts: own, realtime });
    }),
  );
  const transport = createSupabaseTransport({ url, key: secretKey, officeId, realtime });
  const link = transport.office();
  const sessionIds = Array.from({ length: sessions }, () => newId('ses'));
  for (const sessionId of sessionIds) await link.dispatch(creation(sessionId));
  return {
    officeId,
    hostCount: count,
    sessionIds,
    async ask(sessionId) {
      const askedAt = sharedClockMs();
      const answer = await link.dispatch(prompt(sessionId));
      const heardAt = sharedClockMs();
      if (!answer.success) throw new Error(answer.error.message);
      const { toldAt } = answer.result as HostAnswer;
      return { there: toldAt - askedAt, back: heardAt - toldAt };
    },
    async [Symbol.asyncDispose]() {
      await transport.close();
      await Promise.all(children.map(end));
    },
  };
}

/** Resolves when everybody of an office listens. */
export async function settled(project: BenchProject, { officeId, hostCount }: BenchOffice): Promise<void> {
  const listening = async (): Promise<number> => {
    const topics = await project.ask('joinedTopics');
    return topics.filter((topic) => topic.startsWith(`office:${officeId}:`)).length;
  };
  while ((await listening()) < hostCount + 1) await delay(50);
}

type HostProcess = Awaited<ReturnType<typeof startHosts>>;

async function startHosts(input: HostsInput) {
  const child = fork(hostMain, [JSON.stringify(input)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`Hosts ended with status ${String(code)}.`))),
  ]);
  return child;
}

async function end(child: HostProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}
