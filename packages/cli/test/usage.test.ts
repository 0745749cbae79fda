import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { say } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { commandWords } from '../src/command-words.ts';
import { parseDuration } from '../src/duration.ts';
import { cliStage } from './test-io.ts';

const STREAM = ['--agent', 'claude-stream'];

describe('semo', () => {
  it('helps, and refuses what it does not know', async () => {
    await using stage = await cliStage([]);
    expect(await stage.semo(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('semo run') });
    expect(await stage.semo(['run', '--help'])).toMatchObject({ status: 0 });
    expect(await stage.semo(['host', 'token', '--help'])).toMatchObject({ status: 0 });
    expect(await stage.semo(['init', 'supabase', '-h'])).toMatchObject({ status: 0 });
    expect(await stage.semo([])).toMatchObject({ status: 2 });
    expect(await stage.semo(['walk'])).toMatchObject({ status: 2, stderr: expect.stringContaining('"walk"') });
    expect(await stage.semo(['host'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--socket') });
    expect(await stage.semo(['host', '--repo', 'nonsense', '--socket', 's'])).toMatchObject({ status: 2 });
    expect(await stage.semo(['host', '--sock', 'x'])).toMatchObject({ status: 2 });
    expect(await stage.semo(['host', '--socket', 's', '--terminal', 'screen'])).toMatchObject({ status: 2 });
    const jail = await stage.semo(['host', '--socket', 's', '--containment', 'jail']);
    expect(jail).toMatchObject({ status: 2, stderr: expect.stringContaining('pid_namespace') });
  });
});

describe('wrong usage of semo run', () => {
  it.each([
    { argv: [], code: 'invalid_prompt', says: 'prompt' },
    { argv: ['  '], code: 'invalid_prompt', says: 'empty' },
    { argv: ['nul\0'], code: 'invalid_prompt', says: 'NUL' },
    { argv: ['paste\u001b[201~end'], code: 'invalid_prompt', says: 'ESC[201~' },
    { argv: ['two', 'prompts'], code: 'invalid_argument', says: 'quotes' },
    { argv: ['--agent', 'gpt', 'x'], code: 'unknown_agent', says: 'Known: claude, claude-stream, command' },
    { argv: ['--agent', 'command', 'x'], code: 'invalid_argument', says: '--exec' },
    { argv: ['--exec', 'cat', 'x'], code: 'invalid_argument', says: '--agent command' },
    {
      argv: ['--agent', 'command', '--exec', 'cat', '--exec-pipe', 'cat', 'x'],
      code: 'invalid_argument',
      says: 'not both',
    },
    { argv: ['--agent', 'command', '--exec', 'cat', '--model', 'm', 'x'], code: 'invalid_argument', says: '--model' },
    { argv: ['--agent', 'command', '--exec', 'cat | wc', 'x'], code: 'invalid_argument', says: 'sh -c' },
    { argv: ['--agent', 'command', '--exec', '', 'x'], code: 'invalid_argument', says: 'empty' },
    { argv: ['--agent', 'shell', '--use-login', 'x'], code: 'invalid_argument', says: 'claude or claude-stream' },
    { argv: ['--system-prompt', 'Be brief.', 'x'], code: 'invalid_argument', says: '--agent claude-stream' },
    { argv: ['--append-system-prompt', 'Be brief.', 'x'], code: 'invalid_argument', says: '--agent claude-stream' },
    { argv: ['--max-turns', '3', 'x'], code: 'invalid_argument', says: '--agent claude-stream' },
    { argv: ['--allowed-tools', 'Read', 'x'], code: 'invalid_argument', says: '--agent claude-stream' },
    { argv: ['--disallowed-tools', 'Read', 'x'], code: 'invalid_argument', says: '--agent claude-stream' },
    {
      argv: ['--agent', 'shell', '--keep-conversation', 'x'],
      code: 'invalid_argument',
      says: 'claude or claude-stream',
    },
    { argv: ['--agent', 'shell', '--resume', 'a', 'x'], code: 'invalid_argument', says: 'claude or claude-stream' },
    { argv: ['--resume', 'last', 'x'], code: 'invalid_argument', says: 'resume' },
    { argv: [...STREAM, '--max-turns', '0', 'x'], code: 'invalid_argument', says: 'above 0' },
    { argv: [...STREAM, '--max-turns', 'many', 'x'], code: 'invalid_argument', says: 'above 0' },
    { argv: [...STREAM, '--allowed-tools', '(x)', 'x'], code: 'invalid_argument', says: 'allowedTools' },
    { argv: [...STREAM, '--system-prompt', '', 'x'], code: 'invalid_argument', says: 'systemPrompt' },
    { argv: [...STREAM, '--resume', 'last', 'x'], code: 'invalid_argument', says: 'resume' },
    { argv: ['--permission-mode', 'yolo', 'x'], code: 'invalid_argument', says: 'bypassPermissions' },
    { argv: ['--containment', 'jail', 'x'], code: 'invalid_argument', says: 'containment' },
    { argv: ['--network', 'none', '--containment', 'pid_namespace', 'x'], code: 'invalid_argument', says: 'sandbox' },
    { argv: ['--timeout', 'soon', 'x'], code: 'invalid_argument', says: '10m' },
    { argv: ['--max-wall', 'soon', 'x'], code: 'invalid_argument', says: '10m' },
    { argv: ['--max-output', '5 MB', 'x'], code: 'invalid_argument', says: 'number of bytes' },
    { argv: ['--require', 'luck', 'x'], code: 'invalid_argument', says: 'marker' },
    { argv: ['--env', '1BAD=x', 'x'], code: 'invalid_argument', says: 'environment.set.1BAD' },
    { argv: ['--nonsense', 'x'], code: 'invalid_argument', says: '--nonsense' },
    { argv: ['--workdir', 'missing', 'x'], code: 'workspace_not_found', says: 'missing' },
    { argv: ['--workdir', 'file', 'x'], code: 'workspace_not_directory', says: 'not a folder' },
    { argv: ['--worktree', 'b', 'x'], code: 'invalid_argument', says: 'git repository' },
    { argv: ['--persona', 'none.json', 'x'], code: 'invalid_argument', says: 'none.json' },
    { argv: ['--persona', 'file', 'x'], code: 'invalid_persona', says: 'JSON' },
    { argv: ['--persona', 'glob.json', 'x'], code: 'invalid_persona', says: 'src/[' },
    { argv: ['--prompt-file', 'none.txt'], code: 'invalid_argument', says: 'none.txt' },
    { argv: ['--prompt-file', 'latin1.txt'], code: 'invalid_prompt', says: 'latin1.txt is not UTF-8' },
    { argv: ['--persona', 'latin1.txt', 'x'], code: 'invalid_persona', says: 'not UTF-8' },
    { argv: ['--prompt-file', 'file', 'x'], code: 'invalid_argument', says: 'not both' },
  ])('$argv is $code', async ({ argv, code, says }) => {
    await using stage = await cliStage([]);
    await writeFile(join(stage.folder, 'file'), 'not json');
    await writeFile(join(stage.folder, 'latin1.txt'), Buffer.from('Grüße', 'latin1'));
    await writeFile(
      join(stage.folder, 'glob.json'),
      JSON.stringify({ name: 'M', role: 'FE', prompt: 'p', scopePatterns: ['src/['] }),
    );
    const { status, lines, result } = await stage.runJson(argv);
    expect({ status, code: result.error?.code }).toEqual({ status: 2, code });
    expect(result.error?.message).toContain(says);
    expect(lines.filter(({ type }) => type === 'turn')).toEqual([]);
  });

  it('is standard input that is no text', async () => {
    await using stage = await cliStage([]);
    const { status, result } = await stage.runJson(['--prompt-file', '-'], { stdin: Buffer.from('Grüße', 'latin1') });
    expect({ status, code: result.error?.code }).toEqual({ status: 2, code: 'invalid_prompt' });
    expect(result.error?.message).toContain('standard input is not UTF-8');
  });

  it('tells people on standard error', async () => {
    await using stage = await cliStage([]);
    expect(await stage.semo(['run', '--timeout', 'soon', 'x'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('semo --help'),
    });
  });
});

describe('a machine that is not ready', () => {
  it.each([
    { env: { SEMO_CLAUDE_BIN: '/nowhere/claude' }, code: 'agent_not_found', says: 'SEMO_CLAUDE_BIN' },
    { env: { ANTHROPIC_API_KEY: undefined }, code: 'not_signed_in', says: 'claude setup-token' },
  ])('is $code', async ({ env, code, says }) => {
    await using stage = await cliStage([say('unreached')]);
    const { status, result } = await stage.runJson(['x'], { env });
    expect(status).toBe(1);
    expect(result).toMatchObject({ outcome: 'failed', error: { code, message: expect.stringContaining(says) } });
  });

  it('knows a login that is only interactive', async () => {
    await using stage = await cliStage([]);
    await mkdir(join(stage.home, '.claude'));
    await writeFile(
      join(stage.home, '.claude', '.credentials.json'),
      JSON.stringify({ claudeAiOauth: { accessToken: 'secret-token' } }),
    );
    const { result } = await stage.runJson(['x'], { env: { ANTHROPIC_API_KEY: undefined } });
    expect(result.error?.message).toMatch(/logged in interactively.*claude setup-token/);
    expect(JSON.stringify(result)).not.toContain('secret-token');
  });
});

describe('the small print', () => {
  it('reads times', () => {
    expect(['500ms', '30s', '10m', '1.5h', '2d', '90'].map(parseDuration)).toEqual([
      500, 30_000, 600_000, 5_400_000, 172_800_000, 90_000,
    ]);
    expect(() => parseDuration('0s')).toThrow('is no time');
  });

  it('splits a command into words and expands nothing', () => {
    expect(commandWords(`node 'a b.js' --x="1 2" $HOME *.ts`)).toEqual(['node', 'a b.js', '--x=1 2', '$HOME', '*.ts']);
  });
});
