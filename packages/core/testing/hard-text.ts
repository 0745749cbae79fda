import { expect } from 'vitest';

/** What an agent may say and a database may be unable to keep: NUL and half a surrogate pair; beside it what only looks like that. */
export const HARD_TEXT = String.raw`C:\u0000 \ud83d 🎉 ` + 'a\0b \ud83d c \udf89';

/** The same with a mark in the place of each character that cannot be kept. */
function marked(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').toWellFormed();
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [marked(name), marked(entry)]));
}

/** Expects something to be kept as it was given, or with marks in the place of what cannot be kept. */
export function expectKept(kept: unknown, given: unknown): void {
  expect([given, marked(given)]).toContainEqual(kept);
}
