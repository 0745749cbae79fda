import { textStart } from '../text-start.ts';

const REDACTED = '[redacted]';
/** What is looked at of one text, what is shown of it, and how much of the rest. */
const READ_CHARACTERS = 10_000;
const SHOWN_CHARACTERS = 300;
const SHOWN_ENTRIES = 20;
const SHOWN_DEPTH = 4;

const SECRET_NAME =
  /passw|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authori[sz]ation|credential|cookie|bearer/i;

/** None of these can run for long: each repeats one class of characters, and what follows is not of that class. */
const SECRETS: readonly RegExp[] = [
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}-----)?/g,
  /https:\/\/hooks\.slack\.com\/[^\s"']+/g,
  /\b(?:sk|pk|rk|ghp|gho|ghu|ghs|ghr|github_pat|glpat|npm|xox[abeprs])[-_][A-Za-z0-9_-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}/g,
];
const VALUE = String.raw`(?:"[^"]*"|'[^']*'|[^\s"'&;|]+)`;
const NAME = 'passw|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|cookie';
/** `NAME=value` and `"name": "value"`, then `--name value`. */
const ASSIGNED = new RegExp(String.raw`((?:${NAME})[A-Za-z0-9_-]{0,40}["']?\s{0,3}[=:]\s{0,3})${VALUE}`, 'gi');
const OPTION = new RegExp(String.raw`(--[a-z-]{0,40}(?:${NAME})[a-z-]{0,40}\s{1,3})${VALUE}`, 'gi');
const AUTHORIZATION = /((?:authorization["']?\s{0,3}[=:]\s{0,3}["']?)?\b(?:bearer|basic)\s{1,3})[^\s"']+/gi;
const USER_IN_URL = /(:\/\/)[^\s/@:"']{0,200}:[^\s/@"']{1,200}@/g;
/** Nothing that people write looks like this. */
const LONG_WORD = /[A-Za-z0-9+_-]{32,}={0,2}/g;

/**
 * A tool's input as it may be shown to people: what looks like a credential is taken out, what is long or deep is cut. It
 * takes care, it does not prove anything: a secret that looks like a word stays.
 */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= SHOWN_DEPTH) return '…';
  if (Array.isArray(value)) {
    const shown = value.slice(0, SHOWN_ENTRIES).map((entry) => redacted(entry, depth + 1));
    return value.length > SHOWN_ENTRIES ? [...shown, '…'] : shown;
  }
  const entries = Object.entries(value);
  const shown = entries
    .slice(0, SHOWN_ENTRIES)
    .map(([name, entry]) => [name, SECRET_NAME.test(name) ? REDACTED : redacted(entry, depth + 1)]);
  return Object.fromEntries(entries.length > SHOWN_ENTRIES ? [...shown, ['…', '']] : shown) as unknown;
}

/** What is shorter is found by chance. */
const SHORTEST_SECRET = 8;

/** A text without secrets that are known, wherever they stand in it. Linear in the text, for each. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= SHORTEST_SECRET) clean = clean.replaceAll(secret, () => REDACTED);
  return clean;
}

/** One text as it may be shown. */
export function redactedText(text: string): string {
  let clean = textStart(text, READ_CHARACTERS);
  for (const secret of SECRETS) clean = clean.replaceAll(secret, REDACTED);
  clean = clean
    .replaceAll(AUTHORIZATION, `$1${REDACTED}`)
    .replaceAll(USER_IN_URL, `$1${REDACTED}@`)
    .replaceAll(ASSIGNED, `$1${REDACTED}`)
    .replaceAll(OPTION, `$1${REDACTED}`)
    .replaceAll(LONG_WORD, (word) => (looksRandom(word) ? REDACTED : word));
  return clean.length > SHOWN_CHARACTERS ? `${textStart(clean, SHOWN_CHARACTERS)}…` : clean;
}

function looksRandom(word: string): boolean {
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /[0-9]/.test(word);
}
