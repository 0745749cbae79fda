import type { Row } from '@semo-office/testbed/supabase';

import type { Host, Office } from './stage.ts';

/** The commands' ids. */
export const ids = (rows: readonly Row[]): unknown[] => rows.map(({ command_id: id }) => id);

/** A host with a session that is made, and nothing to do. */
export async function readyHost(office: Office): Promise<{ readonly host: Host; readonly sessionId: string }> {
  const host = await office.register('h1');
  const { sessionId } = await office.session();
  for (const command of await host.claim()) await host.complete(command, { sessionId, status: 'ready' });
  return { host, sessionId };
}
