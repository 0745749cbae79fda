import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const npx = (command: string): string => join(root, 'node_modules/.bin', command);

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
}
interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** What users may import of a package. */
function entries(folder: string): string[] {
  const { name, exports } = manifestOf(folder);
  const paths = Object.keys(exports).filter((path) => !path.endsWith('.json'));
  return paths.map((path) => join(name, path));
}

/** Fails unless the tarball that npm would publish is one that a stranger can install, import and type-check. */
function checkPackage(folder: string, tarballs: string): void {
  const pack = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', tarballs], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // npm 11 lists what it packed; npm 12 keys the list by package name.
  const packed = Object.values(JSON.parse(pack) as Record<string, Packed>)[0];
  if (packed === undefined) throw new Error(`npm packed nothing from ${folder}`);
  const paths = packed.files.map(({ path }) => path);
  const stray = paths.filter(
    (path) =>
      !/^(dist\/.+\.(js|d\.ts|map)|supabase\/.+\.sql|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/.test(path),
  );
  if (stray.length > 0) throw new Error(`${folder} would publish ${stray.join(', ')}`);
  for (const needed of ['LICENSE', 'README.md'])
    if (!paths.includes(needed)) throw new Error(`${folder} would be published without its ${needed}`);

  const tarball = join(tarballs, packed.filename);
  check('publint', ['run', tarball, '--strict']);
  // By name and by Node itself: bundlers and vitest forgive named imports of CommonJS modules that Node refuses.
  for (const entry of entries(folder)) check('node', ['--input-type=module', '--eval', `await import('${entry}')`]);
  check('attw', [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji']);
}

/** Runs a checker over a tarball; its words are shown only when it has something against it. */
function check(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(npx(command), args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args[0] ?? ''}\n${stdout}${stderr}`);
}

const published = readdirSync(join(root, 'packages')).flatMap((name) => {
  const folder = join(root, 'packages', name);
  return manifestOf(folder).private === true ? [] : [folder];
});
if (published.length === 0) throw new Error('No package to check: the folder layout must have changed');

const tarballs = mkdtempSync(join(tmpdir(), 'semo-packages-'));
try {
  for (const folder of published) checkPackage(folder, tarballs);
  console.log(`${published.length} packages can be installed, imported and type-checked`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(tarballs, { recursive: true, force: true });
}
