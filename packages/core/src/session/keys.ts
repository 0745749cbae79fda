import { z } from 'zod';

const NAMED_KEYS = [
  'Enter',
  'Tab',
  'Shift+Tab',
  'Escape',
  'Backspace',
  'Delete',
  'Space',
  'Up',
  'Down',
  'Left',
  'Right',
  'Home',
  'End',
  'PageUp',
  'PageDown',
  'F1',
  'F2',
  'F3',
  'F4',
  'F5',
  'F6',
  'F7',
  'F8',
  'F9',
  'F10',
  'F11',
  'F12',
] as const;

type NamedKey = (typeof NAMED_KEYS)[number];

/**
 * A key by name: a named key, `Ctrl+A` … `Ctrl+Z` (and `Ctrl+@ [ \ ] ^ _`), or `Alt+` before a printable character.
 */
export type Key = NamedKey | `Ctrl+${string}` | `Alt+${string}`;

const CHORD = /^(?:Ctrl\+[A-Za-z@[\\\]^_]|Alt\+[\x21-\x7e])$/;

/** Parses a {@link Key}. */
export const keySchema = z.custom<Key>(
  (value) => typeof value === 'string' && ((NAMED_KEYS as readonly string[]).includes(value) || CHORD.test(value)),
  { error: 'Unknown key. Use a name such as "Enter", "Up", "F5", "Ctrl+C" or "Alt+x".' },
);

const PLAIN: Record<NamedKey, string> = {
  Enter: '\r',
  Tab: '\t',
  'Shift+Tab': '\x1b[Z',
  Escape: '\x1b',
  Backspace: '\x7f',
  Delete: '\x1b[3~',
  Space: ' ',
  Up: '\x1b[A',
  Down: '\x1b[B',
  Left: '\x1b[D',
  Right: '\x1b[C',
  Home: '\x1b[H',
  End: '\x1b[F',
  PageUp: '\x1b[5~',
  PageDown: '\x1b[6~',
  F1: '\x1bOP',
  F2: '\x1bOQ',
  F3: '\x1bOR',
  F4: '\x1bOS',
  F5: '\x1b[15~',
  F6: '\x1b[17~',
  F7: '\x1b[18~',
  F8: '\x1b[19~',
  F9: '\x1b[20~',
  F10: '\x1b[21~',
  F11: '\x1b[23~',
  F12: '\x1b[24~',
};

/**
 * The bytes a terminal of type xterm sends for a key (xterm's normal, not application, cursor mode).
 *
 * @example
 * ```ts
 * encodeKey('Ctrl+C'); // '\x03'
 * ```
 */
export function encodeKey(key: Key): string {
  if (key.startsWith('Ctrl+')) return String.fromCharCode(key.slice(5).toUpperCase().charCodeAt(0) & 0x1f);
  if (key.startsWith('Alt+')) return `\x1b${key.slice(4)}`;
  return PLAIN[key as NamedKey];
}
