import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SemoError, idSchema, parseEdge } from 'semo-office';
import { z } from 'zod';

import type { CliIo } from '../cli-io.ts';
import { parseDuration } from '../duration.ts';

const whoSchema = z.strictObject({ office: idSchema, 'host-id': idSchema });

/** `semo host token`: prints a token for a host, signed with the project's secret or key. */
export async function hostTokenCommand(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const values = parse(argv);
    const { office, 'host-id': hostId } = parseEdge(whoSchema, pick(values), { what: 'host of the token' });
    const lifeMs = parseDuration(values.expires);
    const { hostToken } = await import('../supabase/host-token.ts');
    const { readSigningKey } = await import('../supabase/signing-key.ts');
    const place = (file: string | undefined): string | null => (file === undefined ? null : resolve(io.cwd, file));
    const key = await readSigningKey({
      secretFile: place(values['secret-file']),
      jwkFile: place(values['jwk-file']),
      env: io.env,
    });
    const { token, expiresAt } = await hostToken(key, { officeId: office, hostId, lifeMs, now: Date.now() });
    io.stdout(`${token}\n`);
    io.stderr(`For host ${hostId} of office ${office}, until ${new Date(expiresAt).toISOString()}.\n`);
    return 0;
  } catch (thrown) {
    const { code, message } = SemoError.from(thrown);
    io.stderr(`${message}\n`);
    return code === 'invalid_argument' ? 2 : 1;
  }
}

type TokenOptions = ReturnType<typeof parse>;

/** What is not given is missing, and not undefined: it is said so. */
function pick({ office, 'host-id': hostId }: TokenOptions): Readonly<Record<string, string>> {
  if (office === undefined || hostId === undefined)
    throw new SemoError('invalid_argument', 'Say whose token: semo host token --office ID --host-id ID.');
  return { office, 'host-id': hostId };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        office: { type: 'string' },
        'host-id': { type: 'string' },
        expires: { type: 'string', default: '12h' },
        'secret-file': { type: 'string' },
        'jwk-file': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new SemoError('invalid_argument', SemoError.from(error).message, { cause: error });
  }
}
