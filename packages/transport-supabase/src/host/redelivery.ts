import { SemoError, errorToWire, type CommandBody, type CommandResult } from '@semo-office/core';

import type { ClaimedCommand } from '../command/command-rows.ts';

/** What to do with a command that may have been handed out before. */
export type Redelivery =
  /**
   * Nothing of it was done, or somebody has said that it is to be done again, or doing it twice is doing it once, or this process
   * remembers what it did.
   */
  | 'carry_out'
  /** Only whoever knows the turn can tell whether the prompt was sent. */
  | 'look_for_turn'
  /** Nobody knows, and it must not be done twice. */
  | 'say_unknown';

/**
 * Decides about a command by whom it was handed to before: to nobody, to this process (under an epoch of its own, by which
 * `isOwn` tells), or to one that is gone. Pure.
 */
export function redeliveryOf(
  {
    kind,
    prior_epoch: before,
    turn_delivery: delivery,
  }: Pick<ClaimedCommand, 'kind' | 'prior_epoch' | 'turn_delivery'>,
  isOwn: (epoch: number) => boolean,
): Redelivery {
  if (before === null || isOwn(before)) return 'carry_out';
  switch (kind as CommandBody['kind']) {
    case 'send_text':
    case 'send_keystrokes':
      return 'say_unknown';
    case 'send_prompt':
      // An intent that was written down and not taken further never left the host.
      return delivery === 'intent' ? 'carry_out' : 'look_for_turn';
    default:
      return 'carry_out';
  }
}

/** The answer to a command of which nobody knows whether it was carried out. */
export function unknownDelivery(): CommandResult {
  const error = new SemoError(
    'delivery_unknown',
    'The host was handed this command before it was started anew, and nobody knows how far it came. Look before you ask again.',
  );
  return { success: false, error: errorToWire(error) };
}
