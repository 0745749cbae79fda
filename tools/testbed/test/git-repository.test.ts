import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createGitRepository, temporaryFolder } from '../src/index.ts';

test('a repository has one commit, its own author and no signing', async () => {
  await using repository = await createGitRepository({
    files: { 'src/a.ts': 'export {};\n', '.gitignore': 'x' },
    branch: 'trunk',
  });
  expect(await repository.git(['log', '--all', '--format=%an <%ae> %s'])).toBe(
    'Testbed <testbed@example.invalid> Initial commit',
  );
  expect(await repository.git(['branch', '--show-current'])).toBe('trunk');
  expect(await repository.git(['ls-files'])).toBe('.gitignore\nsrc/a.ts');
  expect(await repository.git(['status', '--porcelain'])).toBe('');
  expect(await repository.git(['rev-parse', '--show-toplevel'])).toBe(repository.path);
  expect(await readFile(join(repository.path, 'src/a.ts'), 'utf8')).toBe('export {};\n');
});

test('git errors carry what git said', async () => {
  await using repository = await createGitRepository({ files: {} });
  await expect(repository.git(['checkout', 'nowhere'])).rejects.toThrow("pathspec 'nowhere'");
});

test('disposing removes repository and folder', async () => {
  const repository = await createGitRepository();
  const folder = await temporaryFolder('semo-test-');
  await repository[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await expect(access(repository.path)).rejects.toThrow('ENOENT');
  await expect(access(folder.path)).rejects.toThrow('ENOENT');
});
