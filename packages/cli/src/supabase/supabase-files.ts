import { access, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError } from 'semo-office';
import { supabaseFolder } from 'semo-office/supabase';

/** What was done; paths within the project. */
export interface CopiedFiles {
  readonly copied: readonly string[];
  /** Those that were there already, as they are. */
  readonly present: readonly string[];
  /** Whether the Supabase CLI knows the project. */
  readonly hasProject: boolean;
}

interface WantedFile {
  readonly path: string;
  readonly bytes: Buffer;
  readonly found: 'same' | 'other' | 'none';
}

/**
 * Copies the migrations and their tests into a project. What is there is never written over: a file that differs stops all.
 *
 * @throws SemoError `invalid_argument`: there is no such folder, or files in it differ (`details.files`).
 */
export async function copySupabaseFiles(project: string): Promise<CopiedFiles> {
  if (
    !(await stat(project).then(
      (found) => found.isDirectory(),
      () => false,
    ))
  )
    throw new SemoError('invalid_argument', `There is no folder ${project}.`);
  const files = [...(await wantedFiles(project, 'migrations')), ...(await wantedFiles(project, 'tests'))];
  const others = files.filter(({ found }) => found === 'other').map(({ path }) => path);
  if (others.length > 0)
    throw new SemoError(
      'invalid_argument',
      `Nothing was copied: ${others.join(', ')} differ from this version's. A migration that was pushed is never changed; put back what you have not, or move it away.`,
      { details: { files: others } },
    );
  const missing = files.filter(({ found }) => found === 'none');
  for (const folder of ['migrations', 'tests']) await mkdir(join(project, 'supabase', folder), { recursive: true });
  // Whoever else writes one at this moment has been first.
  for (const { path, bytes } of missing) await writeFile(join(project, path), bytes, { flag: 'wx' });
  return {
    copied: missing.map(({ path }) => path),
    present: files.filter(({ found }) => found === 'same').map(({ path }) => path),
    hasProject: await exists(join(project, 'supabase', 'config.toml')),
  };
}

async function wantedFiles(project: string, folder: 'migrations' | 'tests'): Promise<WantedFile[]> {
  const names = (await readdir(join(supabaseFolder, folder))).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join('supabase', folder, name);
      const bytes = await readFile(join(supabaseFolder, folder, name));
      return { path, bytes, found: await compare(join(project, path), bytes) };
    }),
  );
}

async function compare(path: string, bytes: Buffer): Promise<WantedFile['found']> {
  if (!(await exists(path))) return 'none';
  return (await readFile(path)).equals(bytes) ? 'same' : 'other';
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
