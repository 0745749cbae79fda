import type { Caller } from '../postgres/local-postgres.ts';
import type { ProjectKeys } from '../project-keys.ts';

/** Whom a channel acts for, and until when; a key has no end. */
export interface ChannelIdentity {
  readonly caller: Caller;
  readonly expiresAtS: number | null;
}

/** A refusal in the server's own words: a code for a refused join, a message for a channel that is closed. */
export class ChannelRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads the token of a join or a refresh. A key instead of a token, or none at all, stands for whom the socket's key does.
 * @throws ChannelRefusal when the token is no good.
 */
export async function readChannelToken(
  token: string | null | undefined,
  { keys, socketCaller }: { readonly keys: ProjectKeys; readonly socketCaller: Caller },
): Promise<ChannelIdentity> {
  if (token === null || token === undefined || token.startsWith('sb_')) {
    return { caller: socketCaller, expiresAtS: null };
  }
  const reading = await keys.read(token, { toleranceS: 0 });
  switch (reading.kind) {
    case 'valid':
      return { caller: reading.caller, expiresAtS: reading.expiresAtS };
    case 'expired':
      throw new ChannelRefusal('InvalidJWTToken', `Token has expired ${reading.bySeconds} seconds ago`);
    case 'incomplete':
      throw new ChannelRefusal('InvalidJWTToken', 'Fields `role` and `exp` are required in JWT');
    case 'unsigned':
      throw new ChannelRefusal('JwtSignatureError', 'Failed to validate JWT signature');
    default:
      throw new ChannelRefusal('MalformedJWT', 'The token provided is not a valid JWT');
  }
}
