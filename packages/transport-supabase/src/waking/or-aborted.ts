/** Resolves when `work` is over, however it ends, or when nobody waits for it any more. */
export async function orAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return void work.catch(() => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([promise, work.catch(() => {})]);
  signal.removeEventListener('abort', onAbort);
}
