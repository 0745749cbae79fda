import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { probeClaudeVersion, supportedVersion } from '../../../src/agent/claude/version.ts';

const ENV = { PATH: process.env['PATH'] ?? '' };

async function fakeClaude(script: string) {
  const folder = await temporaryFolder('semo-claude-');
  const binary = join(folder.path, 'claude');
  const write = (text: string) => writeFile(binary, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await write(script);
  return { binary, write, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

describe('the version of Claude Code', () => {
  it.each(['2.1.197 (Claude Code)', '2.1.329 (Claude Code)', '2.2.0', '2.10.0 (Claude Code)'])(
    'is supported: %s',
    (printed) => {
      expect(supportedVersion(printed, 'claude')).toBe(printed.split(' ')[0]);
    },
  );

  it.each(['1.0.0 (Claude Code)', '2.1.196', '2.0.999', '3.0.0', '10.0.0'])('is not supported: %s', (printed) => {
    const version = printed.split(' ')[0];
    expect(() => supportedVersion(printed, 'claude')).toThrow(
      expect.objectContaining({
        code: 'agent_version_unsupported',
        details: { version },
        message: expect.stringContaining('SEMO_CLAUDE_BIN') as string,
      }),
    );
  });

  it('is nowhere in what another program says', () => {
    expect(() => supportedVersion('usage: claude', '/bin/claude')).toThrow(
      /\/bin\/claude does not say which Claude Code it is/,
    );
  });

  it('is asked once per file, and again when the file is another', async () => {
    await using fake = await fakeClaude('echo "2.1.300 (Claude Code)"; echo asked >> "$0.asked"');
    expect(await probeClaudeVersion(fake.binary, ENV)).toBe('2.1.300');
    expect(await probeClaudeVersion(fake.binary, ENV)).toBe('2.1.300');
    await fake.write('echo "2.1.301 (Claude Code)"');
    await utimes(fake.binary, 1, 1);
    expect(await probeClaudeVersion(fake.binary, ENV)).toBe('2.1.301');
  });

  it('is not got from a program that fails', async () => {
    await using fake = await fakeClaude('exit 1');
    await expect(probeClaudeVersion(fake.binary, ENV)).rejects.toMatchObject({
      code: 'agent_start_failed',
      message: expect.stringContaining('--version') as string,
    });
  });
});
