// Loaded before anything else in a process or thread of a test, a bench or an example: names of our packages lead to their
// sources there too, so nothing needs a build. What was compiled once is not compiled again by the next of them.
import { enableCompileCache, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('..', import.meta.url);
const FOLDERS = ['core', 'pty-host', 'store-sqlite', 'transport-local', 'transport-supabase'];
const SOURCES = new Map<string, string>([
  ...FOLDERS.map((name) => [`@semo-office/${name}`, `packages/${name}/src/index.ts`] as const),
  ['@semo-office/core/testing', 'packages/core/testing/index.ts'],
  ['semo-office', 'packages/semo-office/src/index.ts'],
]);

enableCompileCache(fileURLToPath(new URL('node_modules/.cache/from-sources', ROOT)));
registerHooks({
  resolve(name, context, next) {
    const source = SOURCES.get(name);
    return next(source === undefined ? name : new URL(source, ROOT).href, context);
  },
});
