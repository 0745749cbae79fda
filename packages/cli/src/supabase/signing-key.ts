import { importJWK, type CryptoKey, type JWK } from 'jose';
import { SemoError, parseEdge } from 'semo-office';
import { z } from 'zod';

import type { CliIo } from '../cli-io.ts';
import { inputFile } from '../input-text.ts';
import { secretText } from '../secret-text.ts';

/** What tokens are signed with. */
export interface SigningKey {
  readonly alg: 'HS256' | 'ES256' | 'RS256';
  /** By which the project knows which of its keys it is. */
  readonly kid: string | undefined;
  readonly key: CryptoKey | Uint8Array;
}

/** Where a key is kept; neither file: in the environment. */
export interface SigningKeyPlace {
  readonly secretFile: string | null;
  readonly jwkFile: string | null;
  readonly env: CliIo['env'];
}

/** HS256 asks for a key as long as its digest. */
const MIN_SECRET_BYTES = 32;

const keySchema = z.discriminatedUnion('kty', [
  z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), alg: z.literal('ES256').default('ES256') }),
  z.looseObject({ kty: z.literal('RSA'), alg: z.literal('RS256').default('RS256') }),
]);
const jwkSchema = z.intersection(
  keySchema,
  z.looseObject({ kid: z.string().optional(), d: z.string('It has no private part, "d".') }),
);
/** The Supabase CLI keeps keys in a list; the first one signs. */
const jwkFileSchema = z.preprocess((json): unknown => (Array.isArray(json) ? json[0] : json), jwkSchema);

/** Reads what a project signs tokens with. @throws SemoError `invalid_argument`: there is none, or it cannot be used. */
export async function readSigningKey({ secretFile, jwkFile, env }: SigningKeyPlace): Promise<SigningKey> {
  if (secretFile !== null && jwkFile !== null)
    throw new SemoError('invalid_argument', 'Give --secret-file or --jwk-file, not both.');
  if (jwkFile !== null) return readJwk(jwkFile);
  const place = { file: secretFile, variable: 'SEMO_SUPABASE_JWT_SECRET' };
  const secret = await secretText(place, { what: "project's JWT secret", option: '--secret-file', env });
  const key = new TextEncoder().encode(secret);
  if (key.length >= MIN_SECRET_BYTES) return { alg: 'HS256', kid: undefined, key };
  throw new SemoError('invalid_argument', `A JWT secret has ${MIN_SECRET_BYTES} bytes or more. This one is cut off.`);
}

async function readJwk(file: string): Promise<SigningKey> {
  const text = await inputFile(file, { what: 'signing key', code: 'invalid_argument' });
  const jwk = parseEdge(jwkFileSchema, jsonOf(text, file), { what: `signing key ${file}` });
  try {
    return { alg: jwk.alg, kid: jwk.kid, key: await importJWK(jwk as JWK, jwk.alg) };
  } catch {
    // The library's own words might quote the key.
    throw new SemoError('invalid_argument', `The signing key ${file} is no private JWK for ${jwk.alg}.`);
  }
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SemoError('invalid_argument', `The signing key ${file} is not JSON.`);
  }
}
