import { constants } from 'node:os';

/** The number of a signal as its name, or `null` for none. */
export function signalName(signal: number | undefined): string | null {
  if (signal === undefined || signal === 0) return null;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? String(signal);
}
