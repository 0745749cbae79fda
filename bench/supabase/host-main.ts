// Hosts of an office in a process of their own: started by bench-office.ts. Each answers a command by when it was told of it.
import { createSupabaseTransport } from '@semo-office/transport-supabase';

import { sharedClockMs } from '../shared-clock.ts';

/** The hosts of one process. */
export interface HostsInput {
  readonly url: string;
  readonly key: string;
  readonly officeId: string;
  readonly hosts: readonly { readonly hostId: string; readonly token: string }[];
  readonly realtime: boolean;
}

/** What a host answers. */
export interface HostAnswer {
  /** By the clock that all processes of a machine share, in milliseconds. */
  readonly toldAt: number;
}

const { url, key, officeId, hosts, realtime } = JSON.parse(process.argv[2] ?? '') as HostsInput;
const transports = await Promise.all(
  hosts.map(async ({ hostId, token }) => {
    const transport = createSupabaseTransport({ url, key, officeId, realtime, accessToken: async () => token });
    const host = await transport.host({ hostId, capacity: 1000 });
    host.serve(async () => ({ success: true, result: { toldAt: sharedClockMs() } satisfies HostAnswer }));
    return transport;
  }),
);
process.send?.('ready');
process.once('disconnect', () => {
  // The client holds a process for some seconds after everything is closed.
  void Promise.all(transports.map((transport) => transport.close())).finally(() => process.exit());
});
