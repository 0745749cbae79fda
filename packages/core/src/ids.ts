import { z } from 'zod';

/**
 * Ids become file names, branch names and environment values, so they hold nothing that any of these could misread.
 */
export const idSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'An id has 1 to 64 letters, digits, "-" or "_" and begins with a letter or digit.',
  );

/**
 * A fresh id: the prefix and 96 random bits.
 *
 * @example
 * ```ts
 * const sessionId = newId('ses'); // ses_5f0c…
 * ```
 */
export function newId(prefix: 'ses' | 'turn' | 'cmd' | 'job' | 'req' | 'off'): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}_${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
