import { listenOnSocket, serveSessions, type SessionManager } from 'semo-office';

import type { CliIo } from '../cli-io.ts';
import { aborted } from './aborted.ts';

/** Serves sessions to offices on this machine until `signal`, then ends them all. @throws SemoError as `listenOnSocket`. */
export async function serveSocket(
  path: string,
  { open, io, signal }: { readonly open: () => SessionManager; readonly io: CliIo; readonly signal: AbortSignal },
): Promise<void> {
  const link = await listenOnSocket({ path });
  const sessions = open();
  const served = serveSessions(link, sessions);
  // What an earlier host left behind is taken up or gone before anybody is served.
  await sessions.list();
  io.stdout(`${JSON.stringify({ type: 'ready', at: Date.now(), socket: path })}\n`);
  await aborted(signal);
  await served.close();
  await link.close();
  await sessions.close();
}
