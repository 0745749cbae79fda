import { systemClock, type Clock, type SemoError } from 'semo-office';

/** What goes on going wrong is told again after so long. */
const AGAIN_AFTER_MS = 60_000;
/** Sentences may name what they are about: they are not kept for ever. */
const MAX_KEPT = 1000;

/**
 * Tells what goes wrong while it is being tried again, each sentence once a minute, whatever numbers are in it: a database that
 * is away is many problems.
 */
export function problemLog(
  tell: (line: string) => void,
  clock: Pick<Clock, 'now'> = systemClock,
): (problem: SemoError) => void {
  const toldAt = new Map<string, number>();
  return ({ code, message }) => {
    const now = clock.now();
    const sentence = message.replaceAll(/\d+/g, '0');
    if (now - (toldAt.get(sentence) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS) return;
    if (toldAt.size >= MAX_KEPT) toldAt.clear();
    toldAt.set(sentence, now);
    tell(`${new Date(now).toISOString()} ${code}: ${message}\n`);
  };
}
