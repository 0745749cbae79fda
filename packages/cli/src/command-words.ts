import { parse } from 'shell-quote';
import { SemoError } from 'semo-office';

/**
 * Splits `CMD ARGS` into words as a shell would, quotes and all. Nothing is expanded and no shell runs.
 *
 * @throws SemoError `invalid_argument` for nothing at all, and for what only a shell can do.
 */
export function commandWords(text: string): string[] {
  // Variables stay as they are written: whoever wants them expanded runs a shell.
  const words = parse(text, (name) => `$${name}`).map((entry) => {
    if (typeof entry === 'string') return entry;
    if ('pattern' in entry) return entry.pattern;
    throw new SemoError('invalid_argument', `${JSON.stringify(text)} uses what only a shell can do. Write: sh -c '…'`);
  });
  if (words.length > 0) return words;
  throw new SemoError('invalid_argument', "The command is empty. Write --exec 'CMD ARGS'.");
}
