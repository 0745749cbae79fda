import { SemoError, isSemoError } from '@semo-office/core';

// SQLite's own result codes; the higher bits only tell more. https://www.sqlite.org/rescode.html
const BUSY = 5;
const READ_ONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

const NAME_ANOTHER = 'Name a file that this user may write, on a disk of this machine.';

interface Advice {
  readonly words: string;
  /** Whether it may pass by itself. */
  readonly retryable?: boolean;
}

/** The error for a file that cannot be used as a store; it names the file and says what to do. */
export function unusable(path: string, { words, retryable = false }: Advice, cause?: unknown): SemoError {
  return new SemoError('store_unusable', `The store ${path} ${words}`, { details: { path }, retryable, cause });
}

/** What SQLite or the file system threw over a store, as an error of ours; what is ours already stays. */
export function storeError(path: string, thrown: unknown): SemoError {
  if (isSemoError(thrown)) return thrown;
  if (!(thrown instanceof Error && 'code' in thrown)) return SemoError.from(thrown);
  if (thrown.code === 'ERR_SQLITE_ERROR') return unusable(path, adviceFor(thrown), thrown);
  if ('syscall' in thrown)
    return unusable(path, { words: `cannot be opened: ${thrown.message}. ${NAME_ANOTHER}` }, thrown);
  return SemoError.from(thrown);
}

/** Whether somebody else holds the file's lock at the moment. */
export function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && resultCode(thrown) === BUSY;
}

function adviceFor(error: Error): Advice {
  switch (resultCode(error)) {
    case NOT_A_DATABASE:
      return { words: 'is no SQLite database. Name another file, or move this one away to begin a new store.' };
    case CORRUPT:
      return {
        words:
          'is damaged. Put a copy of it back, or move it away, with the files "-wal" and "-shm" beside it, to begin a ' +
          'new store; `sqlite3 FILE .recover` may save what can still be read.',
      };
    case BUSY:
      return { words: 'is held by another process for too long. Try again, or end that process.', retryable: true };
    case READ_ONLY:
    case CANNOT_OPEN:
      return { words: `cannot be opened: ${error.message}. ${NAME_ANOTHER}` };
    case FULL:
      return { words: 'cannot grow: the disk is full. Make room and try again.', retryable: true };
    default:
      return { words: `cannot be used: ${error.message}. Look at the file, its folder and its disk.` };
  }
}

function resultCode(error: Error): number | null {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}
