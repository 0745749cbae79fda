import { parseArgs } from 'node:util';
import { SemoError } from 'semo-office';

const OPTIONS = {
  socket: { type: 'string' },
  'supabase-url': { type: 'string' },
  office: { type: 'string' },
  'host-id': { type: 'string' },
  capacity: { type: 'string' },
  label: { type: 'string', multiple: true },
  'key-file': { type: 'string' },
  'token-file': { type: 'string' },
  drain: { type: 'string' },
  root: { type: 'string', multiple: true },
  repo: { type: 'string', multiple: true },
  worktrees: { type: 'string' },
  containment: { type: 'string' },
  terminal: { type: 'string' },
} as const;

/** What the options of `semo host` were given. */
export type HostOptions = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** Options that say how an office in Supabase is served. */
export const SUPABASE_OPTIONS = ['office', 'host-id', 'capacity', 'label', 'key-file', 'token-file', 'drain'] as const;

/** Takes the arguments of `semo host` apart. @throws SemoError `invalid_argument`. */
export function parseHostOptions(argv: readonly string[]): HostOptions {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    throw new SemoError('invalid_argument', SemoError.from(error).message, { cause: error });
  }
}
