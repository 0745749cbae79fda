import type { Json } from './database.ts';

/** What JSON writes for NUL and for half a surrogate pair; a backslash that stands for itself is taken along, so that it begins neither. */
const UNKEEPABLE = /\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g;

/**
 * A value as JSON, with a mark in the place of each character that the database cannot keep: NUL, and half a surrogate pair. For
 * what agents and their programs say, which nobody can take back; what a caller can leave out is refused instead. Pure.
 */
export function storable(value: unknown): Json {
  const json = JSON.stringify(value).replaceAll(UNKEEPABLE, (written) => (written === '\\\\' ? written : '\uFFFD'));
  return JSON.parse(json) as Json;
}
