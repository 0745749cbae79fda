import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SemoError } from 'semo-office';

import type { CliIo } from '../cli-io.ts';

/** `semo init supabase [DIR]`: puts the migrations and their tests into a project's `supabase` folder. */
export async function initCommand(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const folder = targetFolder(argv, io);
    const { copySupabaseFiles } = await import('../supabase/supabase-files.ts');
    const { copied, present, hasProject } = await copySupabaseFiles(folder);
    for (const path of copied) io.stdout(`${path}\n`);
    io.stderr(`${copied.length} files copied to ${folder}, ${present.length} were there already.\n`);
    io.stderr(hasProject ? NEXT : `${NO_PROJECT}${NEXT}`);
    return 0;
  } catch (thrown) {
    const { code, message } = SemoError.from(thrown);
    io.stderr(`${message}\n`);
    return code === 'invalid_argument' ? 2 : 1;
  }
}

const NO_PROJECT = 'There is no supabase/config.toml here yet: supabase init, then supabase link.\n';
const NEXT =
  'Next: supabase db push (with --include-all where the project has newer migrations); supabase test db tests it.\n';

function targetFolder(argv: readonly string[], { cwd }: CliIo): string {
  const [what, folder = '.', ...more] = positionalsOf(argv);
  if (what !== 'supabase' || more.length > 0)
    throw new SemoError('invalid_argument', 'Say what to set up: semo init supabase [DIR].');
  return resolve(cwd, folder);
}

function positionalsOf(argv: readonly string[]): readonly string[] {
  try {
    return parseArgs({ args: [...argv], options: {}, allowPositionals: true }).positionals;
  } catch (error) {
    throw new SemoError('invalid_argument', SemoError.from(error).message, { cause: error });
  }
}
