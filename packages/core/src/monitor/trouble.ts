import type { ErrorClass } from '../errors.ts';

/** The first that is found names the class: what is said in particular comes before the general words. */
const CLASSES: readonly (readonly [RegExp, ErrorClass])[] = [
  [/\bENOENT\b|\bno such file or directory\b|\bcommand not found\b|\bCannot find module\b/i, 'not_found'],
  [/\bpermission denied\b|\bEACCES\b|\bEPERM\b|\boperation not permitted\b/i, 'permission'],
  [/\bauthentication failed\b|\b401 unauthorized\b|\bcould not read (?:username|password)\b/i, 'auth'],
  [/\brate limit exceeded\b|\btoo many requests\b/i, 'rate_limit'],
  [/\bETIMEDOUT\b|\b(?:connection|operation|request) timed out\b/i, 'timeout'],
  [/\bsegmentation fault\b|\bcore dumped\b|\bout of memory\b|\bthread '[^']*' panicked\b|^panic: /i, 'crash'],
];

/** `Error: …`, `TypeError: …`, `error TS2322: …`, `error[E0382]: …`, `fatal: …`: a word by itself, not one in quotes. */
const IN_A_LINE = /(?:^|[\s:(\]])(?:(?:[A-Z]\w*)?Error|(?:error|ERROR)(?: [A-Z]+\d+|\[\w+\])?|fatal|FATAL): /;
/** Prose may mention an error anywhere; one that is told stands at the beginning. */
const AT_THE_START = /^\s*(?:[A-Z]\w*)?(?:Error|error|ERROR|fatal|FATAL|ENOENT): /;
const NPM_ERROR = /^npm (?:ERR!|error) /;

/** The class of the error that a line printed by a tool tells of; `null` if it tells of none. */
export function troubleInOutput(line: string): ErrorClass | null {
  const named = classOf(line);
  if (named !== null) return named;
  return IN_A_LINE.test(line) || NPM_ERROR.test(line) ? 'unknown' : null;
}

/** The class of the error that a line said by the agent reports; `null` if it only talks of errors. */
export function troubleInSpeech(line: string): ErrorClass | null {
  return AT_THE_START.test(line) ? (classOf(line) ?? 'unknown') : null;
}

function classOf(line: string): ErrorClass | null {
  return CLASSES.find(([pattern]) => pattern.test(line))?.[1] ?? null;
}
