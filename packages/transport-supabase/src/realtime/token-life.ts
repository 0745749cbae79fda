import { z } from 'zod';

/** From when to when a token is good, as far as can be told from here; epoch milliseconds of this machine's clock. */
export interface TokenLife {
  /** From when on it is replaced: well before it is over. */
  readonly refreshAt: number;
  /** When it is over; infinite where it does not say. */
  readonly endsAt: number;
  /** Its own word for when it is over, which is the same moment where the clocks of issuer and machine agree. */
  readonly expiresAt: number;
}

const claimsSchema = z.object({ exp: z.number().optional(), iat: z.number().optional() });

/** A token is refreshed when less of its time is left than this, or a third of it if that is less. */
const SPARE_MS = 60_000;

/**
 * How long a token lasts that has come now. Where its own end has passed already, or is further off than it lasts at all, this
 * machine's clock is wrong or the token is an old one: then it is given the span that it names, and the project decides. Pure.
 */
export function tokenLife(token: string, now: number): TokenLife {
  const { exp, iat } = claimsOf(token);
  const expiresAt = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
  const spanEndsAt = exp === undefined || iat === undefined ? expiresAt : now + Math.max(exp - iat, 0) * 1000;
  const endsAt = expiresAt > now ? Math.min(expiresAt, spanEndsAt) : spanEndsAt;
  return { expiresAt, endsAt, refreshAt: endsAt - Math.min(SPARE_MS, Math.max(endsAt - now, 0) / 3) };
}

function claimsOf(token: string): z.output<typeof claimsSchema> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return claimsSchema.parse(claims);
  } catch {
    return {};
  }
}
