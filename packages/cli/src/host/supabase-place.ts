import { resolve } from 'node:path';
import { SemoError, idSchema, parseEdge } from 'semo-office';
import { z } from 'zod';

import type { CliIo } from '../cli-io.ts';
import { parseDuration } from '../duration.ts';
import type { HostOptions } from './host-options.ts';

/** A secret that is in a file, or else in a variable of the environment; never among arguments, which everybody can read. */
export interface SecretPlace {
  readonly file: string | null;
  readonly variable: string;
}

/** An office in a Supabase project, and who the host is there. */
export interface SupabasePlace {
  readonly kind: 'supabase';
  readonly url: string;
  readonly officeId: string;
  readonly hostId: string;
  /** How many sessions at once. */
  readonly capacity: number;
  readonly labels: readonly string[];
  readonly key: SecretPlace;
  readonly token: SecretPlace;
  /** How long what is at work may go on once the host is told to stop; 0: not at all. */
  readonly drainMs: number;
}

/** Variables that are none of any agent's business. */
export const SECRET_VARIABLES = ['SEMO_SUPABASE_KEY', 'SEMO_HOST_TOKEN', 'SEMO_SUPABASE_JWT_SECRET'] as const;

const DEFAULT_CAPACITY = '4';
const DEFAULT_DRAIN = '10m';

const placeSchema = z.strictObject({
  'supabase-url': z.url({ protocol: /^https?$/, error: 'Write https://….' }),
  office: idSchema,
  'host-id': idSchema,
  capacity: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'It is a whole number from 1 to 9999.')
    .transform(Number),
  label: z.array(z.string().min(1, 'A label is not empty.').max(64)),
});

/** Reads what belongs to `--supabase-url`. @throws SemoError `invalid_argument`. */
export function supabasePlace(options: HostOptions, { cwd }: Pick<CliIo, 'cwd'>): SupabasePlace {
  const { office, 'host-id': hostId, capacity = DEFAULT_CAPACITY, label = [], drain = DEFAULT_DRAIN } = options;
  if (office === undefined || hostId === undefined)
    throw new SemoError('invalid_argument', 'Say for which office and as which host: --office ID --host-id ID.');
  const place = parseEdge(
    placeSchema,
    { 'supabase-url': options['supabase-url'], office, 'host-id': hostId, capacity, label },
    { what: 'host options' },
  );
  const secret = (file: string | undefined, variable: SecretPlace['variable']): SecretPlace => ({
    file: file === undefined ? null : resolve(cwd, file),
    variable,
  });
  return {
    kind: 'supabase',
    url: place['supabase-url'],
    officeId: place.office,
    hostId: place['host-id'],
    capacity: place.capacity,
    labels: place.label,
    key: secret(options['key-file'], 'SEMO_SUPABASE_KEY'),
    token: secret(options['token-file'], 'SEMO_HOST_TOKEN'),
    drainMs: drain === '0' ? 0 : parseDuration(drain),
  };
}
