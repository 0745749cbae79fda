import { access, chmod, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createClaudeMdInjector } from '../../src/persona/claude-md-injector.ts';

const mina = { name: 'Mina', role: 'FE', prompt: 'Small, tested steps. 한글 🎉' };
const bora = { name: 'Bora', role: 'BE', prompt: 'Careful migrations.' };
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function setting(files?: Record<string, string>) {
  const repository = await createGitRepository(files === undefined ? {} : { files });
  const state = await temporaryFolder();
  const folder = repository.path;
  return {
    repository,
    folder,
    stateDir: state.path,
    file: join(folder, '.claude', 'CLAUDE.md'),
    exclude: join(folder, '.git', 'info', 'exclude'),
    personas: createClaudeMdInjector({ stateDir: state.path }),
    status: () => repository.git(['status', '--porcelain', '--untracked-files=all']),
    async [Symbol.asyncDispose]() {
      await state[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
    },
  };
}

describe('persona in the worktree', () => {
  it('is there, hidden, and leaves nothing behind', async () => {
    await using here = await setting();
    const placement = await here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' });
    expect(placement).toEqual({ at: 'worktree', path: here.file, version: expect.stringMatching(/^v1-/) as string });
    expect(await readFile(here.file, 'utf8')).toContain('한글 🎉');
    expect(await here.status()).toBe('');
    await here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' });
    expect(
      (await readFile(here.exclude, 'utf8')).split('\n').filter((line) => line === '/.claude/CLAUDE.md'),
    ).toHaveLength(1);
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await exists(join(here.folder, '.claude'))).toBe(false);
    expect(await exists(here.exclude)).toBe(false);
    expect(await exists(join(here.folder, '.git', 'semo'))).toBe(false);
    expect(await readdir(here.stateDir)).toEqual([]);
  });

  it.each([
    ['plain', '# Mine\n\nText.\n'],
    ['without a last line end', '# Mine'],
    ['with CRLF', '# Mine\r\n\r\nText.\r\n'],
    ['with a byte order mark', '\uFEFF# Mine\n'],
    ['empty', ''],
    ['with a damaged block', '<!-- semo:persona begin v1-x -->\nmine\n'],
  ])('keeps a text %s', async (_what, text) => {
    await using here = await setting();
    await mkdir(join(here.folder, '.claude'));
    await writeFile(here.file, text);
    await chmod(here.file, 0o640);
    for (const persona of [mina, bora]) await here.personas.inject({ persona, folder: here.folder, sessionId: 'a' });
    const injected = await readFile(here.file, 'utf8');
    expect(injected).toContain('Bora');
    expect(injected).not.toContain('Mina');
    expect(/[^\r]\n/.test(injected)).toBe(!text.includes('\r'));
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await readFile(here.file, 'utf8')).toBe(text);
    expect((await stat(here.file)).mode & 0o777).toBe(0o640);
  });

  it('keeps bytes that are no UTF-8, and what was written around the block meanwhile', async () => {
    await using here = await setting();
    await mkdir(join(here.folder, '.claude'));
    await writeFile(here.file, Buffer.of(0xe9, 0x0a));
    await here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' });
    await writeFile(
      here.file,
      Buffer.concat([Buffer.from('above\n'), await readFile(here.file), Buffer.from('below')]),
    );
    await here.personas.inject({ persona: bora, folder: here.folder, sessionId: 'a' });
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await readFile(here.file)).toEqual(
      Buffer.concat([Buffer.from('above\n'), Buffer.of(0xe9, 0x0a), Buffer.from('below')]),
    );
  });

  it('is shared by sessions and worktrees, and counted', async () => {
    await using here = await setting();
    await using trees = await temporaryFolder();
    await mkdir(join(here.folder, '.git', 'info'), { recursive: true });
    await writeFile(here.exclude, '*.log');
    const other = join(trees.path, 'other');
    await here.repository.git(['worktree', 'add', '--quiet', '-b', 'other', other]);
    await Promise.all([
      here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' }),
      here.personas.inject({ persona: bora, folder: other, sessionId: 'b' }),
    ]);
    await here.personas.inject({ persona: bora, folder: here.folder, sessionId: 'c' });
    expect(await readFile(here.exclude, 'utf8')).toBe('*.log\n/.claude/CLAUDE.md\n');
    await here.personas.remove({ folder: here.folder, sessionId: 'c' });
    expect(await readFile(here.file, 'utf8')).toContain('Mina');
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await exists(here.file)).toBe(false);
    expect(await readFile(here.exclude, 'utf8')).toContain('/.claude/CLAUDE.md');
    await here.personas.remove({ folder: other, sessionId: 'b' });
    expect(await readFile(here.exclude, 'utf8')).toBe('*.log');
  });

  it('leaves lines alone that came meanwhile, and forgets worktrees that are gone', async () => {
    await using here = await setting();
    await using trees = await temporaryFolder();
    const other = join(trees.path, 'other');
    await here.repository.git(['worktree', 'add', '--quiet', '-b', 'other', other]);
    await here.personas.inject({ persona: mina, folder: other, sessionId: 'a' });
    await writeFile(here.exclude, `${await readFile(here.exclude, 'utf8')}late\n`);
    await rm(other, { recursive: true });
    await here.personas.remove({ folder: other, sessionId: 'a' });
    await here.personas.remove({ folder: here.folder, sessionId: 'nobody' });
    expect(await readFile(here.exclude, 'utf8')).toBe('late\n');
  });

  it('adds no line where the user hides the file already', async () => {
    await using here = await setting({ '.gitignore': '.claude/\n' });
    await here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' });
    expect(await here.status()).toBe('');
    expect(await exists(here.exclude)).toBe(false);
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
  });

  it('is hidden in a folder below the top, whatever its name', async () => {
    await using here = await setting();
    const deep = join(here.folder, 'a [b]*');
    await mkdir(deep);
    await here.personas.inject({ persona: mina, folder: deep, sessionId: 'a' });
    expect(await here.status()).toBe('');
    await here.personas.remove({ folder: deep, sessionId: 'a' });
    expect(await readdir(deep)).toEqual([]);
  });

  it('works without git', async () => {
    await using folder = await temporaryFolder();
    const work = join(folder.path, 'work');
    await mkdir(join(work, '.claude'), { recursive: true });
    const personas = createClaudeMdInjector({ stateDir: join(folder.path, 'state') });
    expect(await personas.inject({ persona: mina, folder: work, sessionId: 'a' })).toMatchObject({ at: 'worktree' });
    await personas.remove({ folder: work, sessionId: 'a' });
    expect(await readdir(join(work, '.claude'))).toEqual([]);
    await expect(personas.inject({ persona: mina, folder: join(work, 'gone'), sessionId: 'a' })).rejects.toMatchObject({
      code: 'workspace_not_found',
    });
    await expect(
      personas.inject({ persona: { ...mina, name: '' }, folder: work, sessionId: 'a' }),
    ).rejects.toMatchObject({ code: 'invalid_persona' });
    await personas.remove({ folder: join(work, 'gone'), sessionId: 'a' });
  });
});

describe('persona in the configuration home', () => {
  it('where git tracks the file', async () => {
    await using here = await setting({ '.claude/CLAUDE.md': 'tracked\n' });
    await using home = await temporaryFolder();
    await expect(here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' })).rejects.toMatchObject({
      code: 'not_supported',
    });
    const path = join(home.path, 'CLAUDE.md');
    expect(
      await here.personas.inject({ persona: mina, folder: here.folder, configHome: home.path, sessionId: 'a' }),
    ).toMatchObject({ at: 'config_home', path });
    expect(await readFile(path, 'utf8')).toContain('Mina');
    expect(await readFile(here.file, 'utf8')).toBe('tracked\n');
    expect(await here.status()).toBe('');
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await exists(path)).toBe(false);
    expect(await exists(join(here.folder, '.git', 'semo'))).toBe(false);
  });

  it('where the file is a link to another one of the folder', async () => {
    await using here = await setting({ 'AGENTS.md': 'agents\n' });
    await using home = await temporaryFolder();
    await mkdir(join(here.folder, '.claude'));
    await symlink('../AGENTS.md', here.file);
    expect(
      await here.personas.inject({ persona: mina, folder: here.folder, configHome: home.path, sessionId: 'a' }),
    ).toMatchObject({ at: 'config_home' });
    expect(await readFile(join(here.folder, 'AGENTS.md'), 'utf8')).toBe('agents\n');
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
  });
});

describe('unsafe paths', () => {
  it.each([
    ['the folder leads out', async (folder: string, out: string) => symlink(out, join(folder, '.claude'))],
    ['the folder leads nowhere', async (folder: string) => symlink('/nonexistent', join(folder, '.claude'))],
    ['the folder is a file', async (folder: string) => writeFile(join(folder, '.claude'), '')],
    [
      'the file leads out',
      async (folder: string, out: string) => {
        await mkdir(join(folder, '.claude'));
        await symlink(join(out, 'CLAUDE.md'), join(folder, '.claude', 'CLAUDE.md'));
      },
    ],
    [
      'the file is a folder',
      async (folder: string) => {
        await mkdir(join(folder, '.claude', 'CLAUDE.md'), { recursive: true });
      },
    ],
  ])('%s', async (_what, prepare) => {
    await using here = await setting();
    await using out = await temporaryFolder();
    await writeFile(join(out.path, 'CLAUDE.md'), 'theirs');
    await prepare(here.folder, out.path);
    await expect(here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' })).rejects.toMatchObject({
      code: 'unsafe_path',
    });
    expect(await readFile(join(out.path, 'CLAUDE.md'), 'utf8')).toBe('theirs');
    expect(await readdir(out.path)).toEqual(['CLAUDE.md']);
    expect(await exists(join(here.folder, '.git', 'semo'))).toBe(false);
    expect(await exists(here.exclude)).toBe(false);
  });

  it('never follows a link that was put there afterwards', async () => {
    await using here = await setting();
    await using out = await temporaryFolder();
    await here.personas.inject({ persona: mina, folder: here.folder, sessionId: 'a' });
    const block = await readFile(here.file);
    await writeFile(join(out.path, 'CLAUDE.md'), block);
    await rm(join(here.folder, '.claude'), { recursive: true });
    await symlink(out.path, join(here.folder, '.claude'));
    await here.personas.remove({ folder: here.folder, sessionId: 'a' });
    expect(await readFile(join(out.path, 'CLAUDE.md'))).toEqual(block);
  });
});
