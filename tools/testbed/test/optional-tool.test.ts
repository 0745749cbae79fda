import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { optionalTool, temporaryFolder } from '../src/index.ts';

async function folderWith(name: string, mode: number): Promise<string> {
  const folder = await temporaryFolder('optional-tool-');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, name), '');
  await chmod(join(folder.path, name), mode);
  return folder.path;
}

test('a tool on the path is found, and nothing is to be said', async () => {
  const folder = await folderWith('mux', 0o755);
  expect(optionalTool('mux', { PATH: `/nowhere:${folder}` })).toEqual({ path: join(folder, 'mux'), reason: '' });
});

test('a tool that is absent, or no program, is a reason to skip', async () => {
  const folder = await folderWith('mux', 0o644);
  const tool = optionalTool('mux', { PATH: folder, SEMO_REQUIRE: 'other' });
  expect(tool.path).toBeNull();
  expect(tool.reason).toContain('mux is not installed');
});

test('where it is required, its absence is a failure', () => {
  expect(() => optionalTool('mux', { PATH: '', SEMO_REQUIRE: 'other, mux' })).toThrow('mux is not installed');
});
