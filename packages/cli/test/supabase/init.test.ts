import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { supabaseFolder } from 'semo-office/supabase';
import { describe, expect, it } from 'vitest';

import { cliStage } from '../test-io.ts';

const names = async (folder: string) => (await readdir(folder)).toSorted();

describe('semo init supabase', () => {
  it('copies migrations and their tests beside others, says what comes next, and twice is once', async () => {
    await using stage = await cliStage([]);
    const own = join(stage.folder, 'app', 'supabase', 'migrations');
    await mkdir(own, { recursive: true });
    await writeFile(join(own, '20200101000000_mine.sql'), 'select 1;');
    const first = await stage.semo(['init', 'supabase', 'app']);
    expect(first).toMatchObject({ status: 0, stderr: expect.stringContaining('supabase db push') });
    expect(first.stderr).toContain('supabase init');
    const migrations = await names(join(supabaseFolder, 'migrations'));
    const tests = await names(join(supabaseFolder, 'tests'));
    expect(first.stdout.trim().split('\n')).toHaveLength(migrations.length + tests.length);
    expect(await names(own)).toEqual(['20200101000000_mine.sql', ...migrations]);
    expect(await names(join(stage.folder, 'app', 'supabase', 'tests'))).toEqual(tests);
    const last = migrations.at(-1) ?? '';
    expect(await readFile(join(own, last))).toEqual(await readFile(join(supabaseFolder, 'migrations', last)));
    await writeFile(join(stage.folder, 'app', 'supabase', 'config.toml'), '');
    const again = await stage.semo(['init', 'supabase', join(stage.folder, 'app')]);
    expect(again).toMatchObject({ status: 0, stdout: '' });
    expect(again.stderr).toContain(`${migrations.length + tests.length} were there already`);
    expect(again.stderr).not.toContain('supabase init');
  });

  it('writes over nothing: a file that differs stops it, and it says which', async () => {
    await using stage = await cliStage([]);
    const folder = join(stage.folder, 'supabase', 'migrations');
    const [first = '', second = ''] = await names(join(supabaseFolder, 'migrations'));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, first), 'drop schema public;');
    const { status, stdout, stderr } = await stage.semo(['init', 'supabase']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(first);
    expect(stderr).not.toContain(second);
    expect(await names(folder)).toEqual([first]);
    expect(await readFile(join(folder, first), 'utf8')).toBe('drop schema public;');
  });

  it('makes nothing within a supabase folder, nor where a file stands in the way', async () => {
    await using stage = await cliStage([]);
    const folder = join(stage.folder, 'supabase');
    await mkdir(folder);
    await writeFile(join(folder, 'config.toml'), '');
    const inside = await stage.semo(['init', 'supabase', 'supabase']);
    expect(inside).toMatchObject({ status: 2, stderr: expect.stringContaining('Name the folder it is in') });
    await writeFile(join(folder, 'tests'), '');
    const blocked = await stage.semo(['init', 'supabase']);
    expect(blocked).toMatchObject({ status: 2, stderr: expect.stringContaining('is a file') });
    expect(await names(folder)).toEqual(['config.toml', 'tests']);
  });

  it.each([[], ['firebase'], ['supabase', 'nowhere'], ['supabase', '.', 'more'], ['supabase', '--force']])(
    'refuses %s %s %s',
    async (...argv) => {
      await using stage = await cliStage([]);
      expect(await stage.semo(['init', ...argv])).toMatchObject({ status: 2, stderr: expect.stringMatching(/\S/) });
      expect(await readdir(stage.folder)).toEqual([]);
    },
  );
});
