import { access, readFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createGitRepository,
  cutStream,
  failWith,
  fromSubagent,
  lastToolResults,
  promptIncludes,
  promptTexts,
  routeScripts,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
  useTools,
} from '../../src/index.ts';
import { runClaude } from './claude-run.ts';

describe('one turn of the real CLI', () => {
  test('text: the answer is the result, and the prompt reached the model whole', async () => {
    await using folder = await temporaryFolder();
    await using server = await startModelServer({ script: [say('Hello from the script.', { thinking: 'Greet.' })] });
    const prompt = 'Line one "quoted"\n\tline two: 한국어 🙂\nline three';
    const run = await runClaude(server, { prompt, cwd: folder.path });
    expect(run).toMatchObject({ exitCode: 0, result: { subtype: 'success', result: 'Hello from the script.' } });
    expect(server.messages.flatMap(promptTexts)).toEqual([prompt]);
    expect(server.requests.every(({ headers }) => headers['user-agent']?.startsWith('claude-cli/'))).toBe(true);
  });

  test('tools: files are written and a commit is made', async () => {
    await using repository = await createGitRepository();
    const file = join(repository.path, 'src', 'greeting.ts');
    const content = `export const greeting = '안녕 🙂';\n${'// filler\n'.repeat(500)}`;
    await using server = await startModelServer({
      script: [
        useTool('Write', { file_path: file, content }, { text: 'I write the file.' }),
        useTools([
          { name: 'Bash', input: { command: 'git add -A && git commit -q -m "Add greeting"', description: 'Commit' } },
          { name: 'Bash', input: { command: 'git log -1 --format=%s', description: 'Show it' } },
        ]),
        say('Done. [SEMO:DONE]'),
      ],
    });
    const run = await runClaude(server, { prompt: 'Add a greeting.', cwd: repository.path });
    expect(run.result).toMatchObject({ subtype: 'success', is_error: false, result: 'Done. [SEMO:DONE]' });
    expect(await readFile(file, 'utf8')).toBe(content);
    expect(await repository.git(['log', '--format=%an %s'])).toBe('Testbed Add greeting\nTestbed Initial commit');
    expect(server.messages.slice(-1).flatMap(lastToolResults)).toMatchObject([
      { isError: false },
      { text: 'Add greeting' },
    ]);
    expect(server.failures).toEqual([]);
  });

  test('an overloaded model, then recovery', async () => {
    await using folder = await temporaryFolder();
    await using server = await startModelServer({
      script: [failWith(529, 'overloaded_error', { headers: { 'retry-after': '0' } }), say('Here again.')],
    });
    const run = await runClaude(server, { prompt: 'Hello', cwd: folder.path, maxRetries: 2 });
    expect(run.result).toMatchObject({ is_error: false, result: 'Here again.' });
    expect(run.lines).toContainEqual(expect.objectContaining({ subtype: 'api_retry', error_status: 529 }));
    expect(server.messages.map(({ outcome }) => 'status' in outcome && outcome.status)).toEqual([529, 200]);
  });

  test('an overloaded model that stays so ends the turn as an error', async () => {
    await using folder = await temporaryFolder();
    await using server = await startModelServer({ script: () => failWith(529, 'overloaded_error') });
    const run = await runClaude(server, { prompt: 'Hello', cwd: folder.path, maxRetries: 1 });
    expect(run.result).toMatchObject({ is_error: true, terminal_reason: 'api_error' });
  });

  test.each(['connection', 'start', 'text'] as const)('a stream cut at %s is asked for again', async (at) => {
    await using folder = await temporaryFolder();
    await using server = await startModelServer({ script: [cutStream(at), say('Whole now.')] });
    const run = await runClaude(server, { prompt: 'Hello', cwd: folder.path, maxRetries: 2 });
    expect(run.result).toMatchObject({ is_error: false, result: 'Whole now.' });
    expect(run.lines).toContainEqual(expect.objectContaining({ subtype: 'api_retry', error_status: null }));
    expect(server.messages.map(({ outcome }) => outcome.kind)).toEqual(['cut', 'answered']);
  });
});

test('two sessions side by side follow their own scripts', async () => {
  await using folder = await temporaryFolder();
  await using server = await startModelServer({
    script: routeScripts([
      { when: promptIncludes('front end'), script: [useTool('Bash', { command: 'echo FE' }), say('FE done')] },
      { when: promptIncludes('back end'), script: [useTool('Bash', { command: 'echo BE' }), say('BE done')] },
    ]),
  });
  const run = (prompt: string) => runClaude(server, { prompt, cwd: folder.path });
  const runs = await Promise.all([run('Build the front end'), run('Build the back end')]);
  expect(runs.map(({ result }) => result?.result)).toEqual(['FE done', 'BE done']);
  const told = server.messages.filter((request) => lastToolResults(request).length > 0);
  const results = told.map((request) => [promptTexts(request)[0], lastToolResults(request)[0]?.text]);
  expect(Object.fromEntries(results)).toEqual({ 'Build the front end': 'FE', 'Build the back end': 'BE' });
  expect(new Set(server.messages.map(({ conversation }) => conversation)).size).toBe(2);
});

test('a subagent is a conversation of its own within the session', async () => {
  await using folder = await temporaryFolder();
  const input = {
    description: 'Look',
    prompt: 'Look around.',
    subagent_type: 'general-purpose',
    run_in_background: false,
  };
  await using server = await startModelServer({
    script: routeScripts([{ when: fromSubagent, script: [say('Nothing there.')] }], {
      otherwise: [useTool('Agent', input), say('Looked.')],
    }),
  });
  const run = await runClaude(server, { prompt: 'Have a look.', cwd: folder.path });
  expect(run.result).toMatchObject({ is_error: false, result: 'Looked.' });
  expect(server.messages.flatMap(lastToolResults)[0]?.text).toContain('Nothing there.');
  expect(new Set(server.messages.map(({ conversation }) => conversation)).size).toBe(2);
});

test('a run leaves nothing in the folder for temporary files', async () => {
  await using folder = await temporaryFolder();
  await using server = await startModelServer({ script: [useTool('Bash', { command: 'echo hi' }), say('Done.')] });
  const shared = join(tmpdir(), `claude-${userInfo().uid}`, folder.path.replaceAll('/', '-'));
  const run = await runClaude(server, { prompt: 'Say hi', cwd: folder.path });
  expect(run.result).toMatchObject({ result: 'Done.' });
  await expect(access(shared)).rejects.toThrow('ENOENT');
});
