import { readFile } from 'node:fs/promises';
import { SemoError, type ErrorCode } from 'semo-office';

/** Bytes that somebody has written as text. What is no UTF-8 is refused: replaced characters would say something else. */
export function inputText(
  bytes: Uint8Array,
  { what, code }: { readonly what: string; readonly code: ErrorCode },
): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SemoError(code, `The ${what} is not UTF-8 text. Save it as UTF-8 and try again.`, { cause });
  }
}

/** The text of a file that an argument names. @throws SemoError `invalid_argument`, and `code` where it is no UTF-8. */
export async function inputFile(
  path: string,
  { what, code }: { readonly what: string; readonly code: ErrorCode },
): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const message = `The ${what} ${path} cannot be read: ${SemoError.from(cause).message}`;
    throw new SemoError('invalid_argument', message, { cause });
  }
  return inputText(bytes, { what: `${what} ${path}`, code });
}
