import { SemoError } from '@semo-office/core';
import { z } from 'zod';

/** What the database says of the host that somebody is not any more. */
const successorSchema = z.object({ state: z.literal('online'), instance: z.string(), latestEpoch: z.number() });

/**
 * Whether a host was refused because another process has registered by its name and is there: `null` where it was merely given
 * up, or registered itself and never heard so. Two that each took the name back would do so for ever, so the later one has it.
 * Pure.
 */
export function successionIn(refusal: SemoError, own: { readonly hostId: string; readonly instance: string }) {
  const successor = successorSchema.safeParse(refusal.details).data;
  if (refusal.code !== 'lease_lost' || successor === undefined || successor.instance === own.instance) return null;
  return new SemoError(
    'lease_lost',
    `Another process has registered as host ${own.hostId}, and serves in the place of this one. Give each process a name of its own.`,
    { details: { hostId: own.hostId, latestEpoch: successor.latestEpoch, superseded: true } },
  );
}
