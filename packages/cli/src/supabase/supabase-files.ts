import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SemoError } from 'semo-office';
import { supabaseFolder } from 'semo-office/supabase';

/** What is copied, each a folder in a project's `supabase`. */
const FOLDERS = ['migrations', 'tests'] as const;

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
 * @throws SemoError `invalid_argument`: there is no such folder, it is the `supabase` folder itself, something stands in the way, or
 * files in it differ (`details.files`).
 */
export async function copySupabaseFiles(project: string): Promise<CopiedFiles> {
  await checkProject(project);
  const files = (await Promise.all(FOLDERS.map((folder) => wantedFiles(project, folder)))).flat();
  const others = files.filter(({ found }) => found === 'other').map(({ path }) => path);
  if (others.length > 0)
    throw new SemoError(
      'invalid_argument',
      `Nothing was copied: ${others.join(', ')} differ from this version's. A migration that was pushed is never changed; put back what you have not, or move it away.`,
      { details: { files: others } },
    );
  const missing = files.filter(({ found }) => found === 'none');
  for (const folder of FOLDERS) await mkdir(join(project, 'supabase', folder), { recursive: true });
  // Whoever else writes one at this moment has been first.
  for (const { path, bytes } of missing) await writeFile(join(project, path), bytes, { flag: 'wx' });
  return {
    copied: missing.map(({ path }) => path),
    present: files.filter(({ found }) => found === 'same').map(({ path }) => path),
    hasProject: (await kindOf(join(project, 'supabase', 'config.toml'))) === 'file',
  };
}

/** Nothing is made where it would not be found, or where it cannot be. */
async function checkProject(project: string): Promise<void> {
  if ((await kindOf(project)) !== 'folder') throw new SemoError('invalid_argument', `There is no folder ${project}.`);
  const isInside = basename(project) === 'supabase' && (await kindOf(join(project, 'config.toml'))) === 'file';
  if (isInside)
    throw new SemoError('invalid_argument', `${project} is a project's supabase folder. Name the folder it is in.`);
  for (const folder of ['supabase', ...FOLDERS.map((name) => join('supabase', name))])
    if ((await kindOf(join(project, folder))) === 'file')
      throw new SemoError(
        'invalid_argument',
        `${join(project, folder)} is a file, and is to be a folder. Move it away.`,
      );
}

function kindOf(path: string): Promise<'folder' | 'file' | 'none'> {
  return stat(path).then(
    (found) => (found.isDirectory() ? 'folder' : 'file'),
    () => 'none',
  );
}

async function wantedFiles(project: string, folder: (typeof FOLDERS)[number]): Promise<WantedFile[]> {
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
  const kind = await kindOf(path);
  if (kind === 'none') return 'none';
  return kind === 'file' && (await readFile(path)).equals(bytes) ? 'same' : 'other';
}
