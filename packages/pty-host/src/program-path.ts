import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** The first of these folders' programs of that name that may be run; relative folders are passed over. */
export function findProgram(name: string, folders: readonly string[]): string | null {
  const paths = folders.filter(isAbsolute).map((folder) => join(folder, name));
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
