import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Caller } from './postgres/local-postgres.ts';

/** What a JWT says. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who a token is, or why it is nobody. */
export type TokenReading =
  | { readonly kind: 'valid'; readonly caller: Caller; readonly expiresAtS: number }
  | { readonly kind: 'expired'; readonly bySeconds: number }
  | { readonly kind: 'malformed' | 'unsigned' | 'incomplete' };

const roleSchema = z.enum(['anon', 'authenticated', 'service_role']);
const tokenSchema = z.looseObject({ role: roleSchema, exp: z.int() });

/** The keys of a project: two of the new kind, and the secret that users' tokens are signed with. */
export class ProjectKeys {
  readonly publishableKey = `sb_publishable_${randomBytes(16).toString('base64url')}`;
  readonly secretKey = `sb_secret_${randomBytes(16).toString('base64url')}`;
  /** A text whose bytes are the key, as a project has it. */
  readonly jwtSecret = randomBytes(32).toString('base64url');
  readonly #jwtKey = new TextEncoder().encode(this.jwtSecret);
  /** Tokens that were found valid: a signature stays right. */
  readonly #seen = new Map<string, TokenReading & { readonly kind: 'valid' }>();

  /** Whom a key stands for when no token comes with it; `undefined` when it is none of ours. */
  callerOf(key: string | null | undefined): Caller | undefined {
    if (key === this.publishableKey) return { role: 'anon', claims: { role: 'anon' } };
    if (key === this.secretKey) return { role: 'service_role', claims: { role: 'service_role' } };
    return undefined;
  }

  /** A token, by default an authenticated user's for an hour. Claims win over these defaults. */
  async sign(claims: Claims): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const defaults = { aud: 'authenticated', role: 'authenticated', iat: now, exp: now + 3_600 };
    return new SignJWT({ ...defaults, ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(this.#jwtKey);
  }

  /** @param options.toleranceS For how long a token is taken after its end. */
  async read(token: string, options: { readonly toleranceS: number }): Promise<TokenReading> {
    const seen = this.#seen.get(token);
    if (seen !== undefined && Date.now() / 1_000 < seen.expiresAtS) return seen;
    const reading = await this.#verify(token, options);
    this.#seen.delete(token);
    if (reading.kind === 'valid') this.#seen.set(token, reading);
    return reading;
  }

  async #verify(token: string, options: { readonly toleranceS: number }): Promise<TokenReading> {
    try {
      const { payload } = await jwtVerify(token, this.#jwtKey, { clockTolerance: options.toleranceS });
      const parsed = tokenSchema.safeParse(payload);
      if (!parsed.success) return { kind: 'incomplete' };
      const { role, exp } = parsed.data;
      return { kind: 'valid', caller: { role, claims: parsed.data }, expiresAtS: exp };
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        return { kind: 'expired', bySeconds: Math.floor(Date.now() / 1_000) - Number(error.payload.exp) };
      }
      return { kind: error instanceof errors.JWSSignatureVerificationFailed ? 'unsigned' : 'malformed' };
    }
  }
}
