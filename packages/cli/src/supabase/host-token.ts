import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

import type { SigningKey } from './signing-key.ts';

/** Who a token is for, and for how long. */
export interface TokenRequest {
  readonly officeId: string;
  readonly hostId: string;
  readonly lifeMs: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A JWT by which a host of one office is let in, and nobody else. */
export async function hostToken(
  { alg, kid, key }: SigningKey,
  { officeId, hostId, lifeMs, now }: TokenRequest,
): Promise<{ readonly token: string; readonly expiresAt: number }> {
  const issuedAtS = Math.floor(now / 1000);
  const expiresAtS = Math.ceil((now + lifeMs) / 1000);
  const semo = { role: 'host', office_id: officeId, host_id: hostId };
  // The database's policies are for `authenticated`; what is under `app_metadata` users cannot set for themselves.
  const token = await new SignJWT({ role: 'authenticated', app_metadata: { semo } })
    .setProtectedHeader({ alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
    .setSubject(randomUUID())
    .setAudience('authenticated')
    .setIssuedAt(issuedAtS)
    .setExpirationTime(expiresAtS)
    .sign(key);
  return { token, expiresAt: expiresAtS * 1000 };
}
