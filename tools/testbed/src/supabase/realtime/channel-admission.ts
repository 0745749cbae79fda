import { DatabaseError } from 'pg';
import type { Caller } from '../postgres/local-postgres.ts';
import type { ChannelPolicies, Permission } from './channel-policies.ts';
import { ChannelRefusal } from './channel-token.ts';

/** What everyone may on a public topic. */
export const everything: Permission = { broadcast: true, presence: true };

/** Who wants to hear what. */
export interface Admission {
  /** Without `realtime:`. */
  readonly topic: string;
  readonly isPrivate: boolean;
  readonly wantsPresence: boolean;
  readonly caller: Caller;
}

/**
 * What a caller hears on a topic.
 * @throws ChannelRefusal when that is nothing, or the database cannot be asked.
 */
export async function admit(
  policies: ChannelPolicies,
  { topic, isPrivate, wantsPresence, caller }: Admission,
): Promise<Permission> {
  if (!isPrivate) return everything;
  const unauthorized = `You do not have permissions to read from this Channel topic: ${topic}`;
  let mayHear: Permission;
  try {
    mayHear = await policies.mayHear(topic, caller);
  } catch (error) {
    if (isPolicyError(error)) throw new ChannelRefusal('Unauthorized', unauthorized);
    const message = 'Realtime was unable to connect to the project database';
    throw new ChannelRefusal('UnableToConnectToProject', message);
  }
  if (!mayHear.broadcast && !(mayHear.presence && wantsPresence))
    throw new ChannelRefusal('Unauthorized', unauthorized);
  return mayHear;
}

/** A policy that fails denies. Errors of class 57 are about the server: it stops, or starts. */
function isPolicyError(error: unknown): boolean {
  return error instanceof DatabaseError && error.code?.startsWith('57') !== true;
}
