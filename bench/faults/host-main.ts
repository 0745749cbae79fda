// A host that is killed and paused: `node host-main.ts '{"hostId": …, …}'`. What it is asked it writes into the ledger.
import { setTimeout as pause } from 'node:timers/promises';
import type { Command, CommandResult } from '@semo-office/core';
import { createSupabaseTransport } from '@semo-office/transport-supabase';

import { cancelOf } from './command-plan.ts';
import { faultTimes } from './fault-options.ts';
import { Ledger } from './ledger.ts';

/** What the process is told by its one argument. */
export interface HostArguments {
  readonly hostId: string;
  readonly officeId: string;
  readonly url: string;
  readonly key: string;
  readonly token: string;
  readonly ledger: string;
  readonly leaseMs: number;
}

/** Between a carrying-out's beginning and its effect: time to be killed in. */
const WORK_MS = 20;
const LOOK_MS = 50;

const options = JSON.parse(process.argv[2] ?? '{}') as HostArguments;
const ledger = new Ledger(options.ledger);
const carried = new Map<string, Promise<CommandResult>>();

process.once('disconnect', () => process.exit());
const { url, key, officeId, hostId, leaseMs } = options;
const transport = createSupabaseTransport({
  url,
  key,
  officeId,
  accessToken: async () => options.token,
  times: faultTimes(leaseMs),
});
const host = await registered();
host.serve((command) => once(command));
process.send?.('ready');

/** The project may be away. */
async function registered() {
  for (;;) {
    try {
      return await transport.host({ hostId, capacity: 1000 });
    } catch {
      await pause(100);
    }
  }
}

/** As `serveSessions` does it: one process carries a command out once, however often it is handed it. */
function once(command: Command): Promise<CommandResult> {
  const known = carried.get(command.commandId);
  if (known !== undefined) return known;
  const result = carryOut(command);
  carried.set(command.commandId, result);
  return result;
}

async function carryOut({ commandId, body }: Command): Promise<CommandResult> {
  const sessionId = 'sessionId' in body ? (body.sessionId ?? '') : '';
  if (body.kind === 'create_session')
    return { success: true, result: { sessionId, status: 'idle', createdAt: Date.now() } };
  await ledger.begin(commandId);
  const cancel = cancelOf(commandId);
  if (cancel === null) await pause(WORK_MS);
  else while (!(await ledger.isDone(cancel))) await pause(LOOK_MS);
  await ledger.finish(commandId, sessionId);
  return { success: true, result: null };
}
