import { basename, delimiter, dirname, isAbsolute, join, sep } from 'node:path';

import { isInside, realPaths } from './real-paths.ts';

/**
 * What of the programs an agent needs lies below hidden folders: its own, with what is beside it, and the folders of its
 * `PATH`, with their libraries. Paths as they are used, and real ones.
 */
export async function hiddenPrograms({
  program,
  path,
  hidden,
}: {
  readonly program: string;
  readonly path: string;
  readonly hidden: readonly string[];
}): Promise<string[]> {
  const homes = [program, ...(await realPaths([program]))].map((each) => programHome(each, hidden));
  const onPath = path.split(delimiter).filter(isAbsolute);
  const bins = onPath.flatMap((bin) => [packagesOf(bin) ?? bin, ...partsOf(bin)]);
  const candidates = [...new Set([...homes, ...bins])];
  const isHidden = (each: string): boolean => !hidden.includes(each) && hidden.some((folder) => isInside(each, folder));
  const present = await Promise.all(
    candidates.filter(isHidden).map(async (each) => [each, await realPaths([each])] as const),
  );
  return present.filter(([, real]) => real.length > 0).map(([each]) => each);
}

/** A program has its parts beside it; one that lies right in a hidden folder is shown alone. */
function programHome(program: string, hidden: readonly string[]): string {
  const folder = packagesOf(program) ?? dirname(program);
  return hidden.includes(folder) ? program : folder;
}

/** The outermost folder of packages that a path is in: packages need those beside them. */
function packagesOf(path: string): string | null {
  const at = `${path}${sep}`.indexOf(`${sep}node_modules${sep}`);
  return at === -1 ? null : path.slice(0, at + `${sep}node_modules`.length);
}

/** Programs in `bin` are often links into `lib`; those in `shims` (pyenv, rbenv, asdf, mise) call others beside it. */
function partsOf(bin: string): string[] {
  if (basename(bin) === 'bin') return [join(dirname(bin), 'lib')];
  return basename(bin) === 'shims' ? [dirname(bin)] : [];
}
