import { z } from 'zod';

/** An object, also one of a class, that has these methods; it is handed on as it is. */
export function portSchema<Port extends object>(...methods: readonly (keyof Port & string)[]) {
  const has = (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => typeof (value as Partial<Record<string, unknown>>)[name] === 'function');
  return z.custom<Port>(has, `Invalid input: expected an object with the methods ${methods.join(', ')}`);
}

/** A function; it is handed on as it is. */
export const functionSchema = z.custom<(...given: never[]) => unknown>(
  (value) => typeof value === 'function',
  'Invalid input: expected a function',
);

/** An `AbortSignal`, also one of another realm. */
export const signalSchema = portSchema<AbortSignal>('addEventListener', 'removeEventListener').refine(
  (signal) => typeof signal.aborted === 'boolean',
  'Invalid input: expected an AbortSignal',
);

/** What every clock has. */
export const clockSchema = portSchema<{ now(): number; schedule(delayMs: number, run: () => void): unknown }>(
  'now',
  'schedule',
);
