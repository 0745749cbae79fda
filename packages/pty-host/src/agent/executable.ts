import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SemoError } from '@semo-office/core';

/**
 * Finds a program as a shell would: a name on the `PATH`, anything with a slash relative to `folder`.
 *
 * @returns Its absolute path.
 * @throws SemoError `agent_not_found`, with what to do.
 */
export async function findExecutable({
  name,
  path,
  folder,
  hint,
}: {
  readonly name: string;
  readonly path: string;
  readonly folder: string;
  readonly hint: string;
}): Promise<string> {
  const candidates = name.includes('/')
    ? [isAbsolute(name) ? name : resolve(folder, name)]
    : path
        .split(delimiter)
        .filter(isAbsolute)
        .map((part) => join(part, name));
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new SemoError('agent_not_found', `${JSON.stringify(name)} was not found or cannot be executed. ${hint}`, {
    details: { name },
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(await realpath(path))).isFile();
  } catch {
    return false;
  }
}
