import { decodeJwt } from 'jose';
import { SemoError, systemClock, type Clock } from 'semo-office';
import { z } from 'zod';

const claimsSchema = z.object({
  exp: z.number().optional(),
  app_metadata: z.object({
    semo: z.object({ role: z.literal('host'), office_id: z.string(), host_id: z.string() }),
  }),
});

/** Whose token it must be. */
export interface TokenOwner {
  readonly officeId: string;
  readonly hostId: string;
}

/** What {@link tokenSource} needs besides. */
export interface TokenSourceParts {
  /** Told of a token that looks over, once for each. */
  readonly warn: (sentence: string) => void;
  readonly clock?: Pick<Clock, 'now'>;
}

/**
 * Gives a host's token, read anew each time, so that a new one may take its place before the old one is over. It is looked at
 * and not verified: the project does that. It also has the last word on whether it is over: this machine's clock may be wrong.
 *
 * @throws SemoError `sign_in_refused`: it is somebody else's, or none; what `read` throws.
 */
export function tokenSource(
  read: () => Promise<string>,
  { officeId, hostId }: TokenOwner,
  { warn, clock = systemClock }: TokenSourceParts,
): () => Promise<string> {
  let late = '';
  return async () => {
    const token = await read();
    const {
      exp = Number.POSITIVE_INFINITY,
      app_metadata: { semo },
    } = claimsOf(token);
    if (semo.office_id !== officeId || semo.host_id !== hostId)
      throw refusal(`It is for host ${semo.host_id} of office ${semo.office_id}, not for ${hostId} of ${officeId}.`);
    if (exp * 1000 <= clock.now() && token !== late) {
      late = token;
      warn(`The host's token was over at ${new Date(exp * 1000).toISOString()} by this machine's clock.`);
    }
    return token;
  };
}

function claimsOf(token: string): z.output<typeof claimsSchema> {
  const decoded = attempt(() => decodeJwt(token));
  const claims = claimsSchema.safeParse(decoded);
  if (claims.success) return claims.data;
  // Nothing of the token itself is repeated.
  throw refusal('It is no JWT whose app_metadata.semo names the role "host", an office_id and a host_id.');
}

function attempt<Value>(run: () => Value): Value | null {
  try {
    return run();
  } catch {
    return null;
  }
}

function refusal(why: string): SemoError {
  return new SemoError('sign_in_refused', `The host's token cannot be used. ${why} Make one: semo host token.`);
}
