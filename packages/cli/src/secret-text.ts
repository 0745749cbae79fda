import { SemoError } from 'semo-office';

import type { CliIo } from './cli-io.ts';
import type { SecretPlace } from './host/supabase-place.ts';
import { inputFile } from './input-text.ts';

/** A secret as it is now, without the line end of its file. @throws SemoError `invalid_argument`: there is none. */
export async function secretText(
  { file, variable }: SecretPlace,
  { what, option, env }: { readonly what: string; readonly option: string; readonly env: CliIo['env'] },
): Promise<string> {
  const text = file === null ? env[variable] : await inputFile(file, { what, code: 'invalid_argument' });
  const secret = text?.trim() ?? '';
  if (secret !== '') return secret;
  const where = file === null ? `Set ${variable}, or use ${option} FILE.` : `${file} is empty.`;
  throw new SemoError('invalid_argument', `The ${what} is missing. ${where}`);
}
