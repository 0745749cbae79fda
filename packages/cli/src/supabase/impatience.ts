import { systemClock, type Cancel, type Clock } from 'semo-office';

/** For how long something is waited for; in milliseconds. */
export interface Impatience {
  /** Somebody waits for the end. */
  readonly hurry: AbortSignal;
  /** For how long it is still waited for then. Default: not at all. */
  readonly hurriedMs?: number;
  /** Default: as long as it takes. */
  readonly withinMs?: number;
  readonly clock?: Clock;
}

/** Resolves when `work` is over, however it ends, or when it is waited for no longer. */
export async function waitedFor(
  work: Promise<unknown>,
  { hurry, hurriedMs = 0, withinMs = Number.POSITIVE_INFINITY, clock = systemClock }: Impatience,
): Promise<void> {
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const cancels: Cancel[] = [];
  const onHurry = (): void => void cancels.push(clock.schedule(hurriedMs, resolve));
  if (Number.isFinite(withinMs)) cancels.push(clock.schedule(withinMs, resolve));
  if (hurry.aborted) onHurry();
  else hurry.addEventListener('abort', onHurry, { once: true });
  await Promise.race([enough, work.catch(() => {})]);
  hurry.removeEventListener('abort', onHurry);
  for (const cancel of cancels) cancel();
}
