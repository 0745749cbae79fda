// Loaded first in every process and thread of a run: names of our packages lead to their sources, so nothing needs a build.
import { registerHooks } from 'node:module';

const FOLDERS = ['core', 'pty-host', 'store-sqlite', 'transport-local', 'transport-supabase'];
const SOURCES = new Map<string, string>([
  ...FOLDERS.map((name) => [`@semo-office/${name}`, `../../packages/${name}/src/index.ts`] as const),
  ['semo-office', '../../packages/semo-office/src/index.ts'] as const,
]);

registerHooks({
  resolve(name, context, next) {
    const source = SOURCES.get(name);
    return next(source === undefined ? name : new URL(source, import.meta.url).href, context);
  },
});
