import { SemoError, createPtySessionManager, type ErrorCode, type SessionManager } from 'semo-office';

import type { CliIo, Interruption } from '../cli-io.ts';
import { readHostArguments, type HostRequest } from '../host/host-arguments.ts';
import { serveSocket } from '../host/socket-host.ts';
import { SECRET_VARIABLES } from '../host/supabase-place.ts';
import { tellSweep } from '../host/sweep-report.ts';

/** What a supervisor need not try again is told apart: wrong usage, and that another process has this host's name. */
const STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = { invalid_argument: 2, lease_lost: 3 };

/**
 * `semo host`: runs sessions and serves them to offices, on this machine or in a Supabase project, until it is told to stop;
 * then it ends them all.
 */
export async function hostCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const interruption = io.interruption({ canHurry: argv.some((word) => word.startsWith('--supabase-url')) });
  try {
    await serve(readHostArguments(argv, io), io, interruption);
    return 0;
  } catch (thrown) {
    const { code, message } = SemoError.from(thrown);
    io.stderr(`${message}\n`);
    return STATUSES[code] ?? 1;
  } finally {
    interruption.release();
  }
}

async function serve({ place, sessions: options }: HostRequest, io: CliIo, interruption: Interruption): Promise<void> {
  const hostEnv = withoutSecrets(io.env);
  const open = (name: { readonly hostId?: string }): SessionManager =>
    createPtySessionManager({ ...options, ...name, hostEnv, onSweep: (report) => tellSweep(report, io) });
  if (place.kind === 'socket')
    return serveSocket(place.path, { open: () => open({}), io, signal: interruption.signal });
  // Its client is loaded by those alone who ask for it.
  const { serveSupabase } = await import('../supabase/supabase-host.ts');
  return serveSupabase(place, { open: () => open({ hostId: place.hostId }), io, hostEnv, interruption });
}

function withoutSecrets(env: CliIo['env']): CliIo['env'] {
  const secrets: readonly string[] = SECRET_VARIABLES;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.includes(name)));
}
