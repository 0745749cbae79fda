import type { Options } from 'tsup';

/** How every published package is built: ESM with declarations and source maps, its dependencies left outside. */
export function esmPackage(entry: Record<string, string>): Options {
  return {
    entry,
    format: 'esm',
    target: 'node22',
    platform: 'node',
    dts: true,
    sourcemap: true,
    clean: true,
    treeshake: true,
    // Our own names stay imports, a package's own included: `core/testing` must throw the same SemoError as `core`.
    external: [/^(@semo-office\/|semo-office$)/],
    tsconfig: '../../tsconfig.build.json',
  };
}
