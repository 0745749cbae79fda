import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { decideScope } from '../../src/persona/scope-decision.ts';
import { findScopePlace } from '../../src/persona/scope-place.ts';

/**
 * A worktree with `src` and `docs`, beside a folder that is none of its business. Links: `src/out` leads to that folder,
 * `src/dangling` to a file there that is not, `src/docs` and `src/readme` out of scope, `notes` into the scope.
 */
async function worktree() {
  const folder = await temporaryFolder('semo-scope-');
  const root = join(folder.path, 'work');
  const other = join(folder.path, 'other');
  for (const path of [join(root, 'src', 'deep'), join(root, 'docs'), join(root, '.git'), other]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(join(root, 'docs', 'readme.md'), '');
  await writeFile(join(root, 'src', 'app.ts'), '');
  const links = [
    [other, 'src/out'],
    [join(other, 'new.txt'), 'src/dangling'],
    ['../docs', 'src/docs'],
    ['../docs/readme.md', 'src/readme'],
    ['src', 'notes'],
    ['src/app.ts', 'app'],
    ['loop', 'src/loop'],
  ] as const;
  for (const [target, name] of links) await symlink(target, join(root, name));
  return { root, other, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

interface Question {
  readonly patterns?: readonly string[];
  readonly cwd?: string | null;
}

async function verdictOf(root: string, file: string, { patterns = ['src/**'], cwd = root }: Question = {}) {
  return decideScope(await findScopePlace(file.replace('ROOT', root), cwd), { root, patterns }).kind;
}

describe('a scope of src/**', () => {
  it.each<[why: string, file: string, verdict: 'allow' | 'deny']>([
    ['a file in it', 'src/app.ts', 'allow'],
    ['the same by its whole path', 'ROOT/src/app.ts', 'allow'],
    ['a new file', 'src/deep/new.ts', 'allow'],
    ['a new file in a new folder', 'src/new/deep/file.ts', 'allow'],
    ['a hidden file', 'src/.env', 'allow'],
    ['a name that begins with dots', 'src/..file', 'allow'],
    ['a way through folders and back', 'src/deep/../app.ts', 'allow'],
    ['a name in Korean', 'src/설명.md', 'allow'],
    ['a link to a folder in it', 'notes/new.ts', 'allow'],
    ['another folder', 'docs/readme.md', 'deny'],
    ['a name that begins alike', 'src2/a.ts', 'deny'],
    ['other letters', 'SRC/app.ts', 'deny'],
    ['a way out by dots', 'src/../docs/readme.md', 'deny'],
    ['the folder above', '../other/file.txt', 'deny'],
    ['a whole path elsewhere', '/etc/hosts', 'deny'],
    ['a link to a folder outside', 'src/out/file.txt', 'deny'],
    ['a link to a folder out of scope', 'src/docs/new.md', 'deny'],
    ['a link to a file out of scope', 'src/readme', 'deny'],
    ['a link to what is not there yet', 'src/dangling', 'deny'],
    ['a link that is itself out of scope', 'app', 'deny'],
    ['a link to itself', 'src/loop', 'deny'],
    ['dots behind a link', 'src/out/../app.ts', 'deny'],
    ['dots behind what is not there', 'src/none/../app.ts', 'deny'],
    ['a file as a folder', 'src/app.ts/x', 'deny'],
    ['a folder', 'src/deep', 'deny'],
    ['a folder, with a slash', 'src/deep/', 'deny'],
    ['the worktree itself', '.', 'deny'],
    ['nothing', '', 'deny'],
    ['a home', '~/src/app.ts', 'deny'],
    ['a blank before it', ' src/app.ts', 'deny'],
    ['a NUL', 'src/a\0.ts', 'deny'],
  ])('%s: %j is for %s', async (_, file, verdict) => {
    await using tree = await worktree();
    expect(await verdictOf(tree.root, file)).toBe(verdict);
  });

  it('reads a path from where the tool runs, and none without that', async () => {
    await using tree = await worktree();
    expect(await verdictOf(tree.root, 'new.ts', { cwd: join(tree.root, 'src') })).toBe('allow');
    expect(await verdictOf(tree.root, 'src/new.ts', { cwd: join(tree.root, 'src', 'deep') })).toBe('allow');
    expect(await verdictOf(tree.root, 'src/new.ts', { cwd: tree.other })).toBe('deny');
    expect(await verdictOf(tree.root, 'src/app.ts', { cwd: null })).toBe('deny');
    expect(await verdictOf(tree.root, 'ROOT/src/app.ts', { cwd: null })).toBe('allow');
  });
});

describe('any scope', () => {
  it.each([
    '.git/hooks/pre-commit',
    '.git',
    '.claude/settings.json',
    '.claude/settings.local.json',
    '.CLAUDE/Settings.json',
  ])('never has %s in it', async (file) => {
    await using tree = await worktree();
    expect(await verdictOf(tree.root, file, { patterns: ['**', '.git/**', '.claude/**'] })).toBe('deny');
  });

  it('may be several patterns, and does not end at hidden files', async () => {
    await using tree = await worktree();
    const patterns = ['**/*.md', '.github/**'];
    expect(await verdictOf(tree.root, 'docs/readme.md', { patterns })).toBe('allow');
    expect(await verdictOf(tree.root, '.github/workflows/ci.yml', { patterns })).toBe('allow');
    expect(await verdictOf(tree.root, 'src/app.ts', { patterns })).toBe('deny');
  });

  it('refuses a tool that names no file', () => {
    expect(decideScope(null, { root: '/work', patterns: ['**'] })).toMatchObject({ kind: 'deny' });
  });
});
