import { execFile } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
} from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { ruleFault } from '../../../../src/agent/claude/settings/rules.ts';
import { settingsFaults } from '../../../../src/agent/claude/settings/settings-check.ts';
import { claudeStage } from '../claude-stage.ts';

const run = promisify(execFile);
const DENY = 'Edit(./secrets/**)';
const withDeny = (more: object) => JSON.stringify({ permissions: { deny: [DENY] }, ...more });
const permissions = (more: object) => JSON.stringify({ permissions: { deny: [DENY], ...more } });
const denying = (rule: unknown) => JSON.stringify({ permissions: { deny: [rule] } });

/** Whether the real CLI heeds the rule against changing `secrets` in such a file. */
async function isHeeded(settings: string): Promise<boolean> {
  await using work = await temporaryFolder('semo-settings-');
  const file = join(work.path, 'secrets', 'a.txt');
  await using config = await temporaryFolder('semo-settings-');
  await mkdir(join(work.path, '.claude'));
  await writeFile(join(work.path, '.claude', 'settings.json'), settings);
  await using model = await startModelServer({
    script: [useTool('Write', { file_path: file, content: '' }), say('Done.')],
  });
  const args = ['--print', 'Go.', '--permission-mode', 'bypassPermissions'];
  const env = agentEnvironment(model, { configDir: config.path, maxRetries: 0 });
  const running = run(claudeBinary(), args, { cwd: work.path, env });
  running.child.stdin?.end();
  await running;
  return await stat(file).then(
    () => false,
    () => true,
  );
}

describe('a settings file', () => {
  it.each<[why: string, text: string, field: string]>([
    ['is not JSON', '{ no', ''],
    ['has a comment', `{ // no\n"permissions": { "deny": ["${DENY}"] } }`, ''],
    ['is a list', `[${withDeny({})}]`, ''],
    ['has rules that are no list', JSON.stringify({ permissions: { deny: DENY } }), 'permissions.deny'],
    ['has an unknown mode', permissions({ defaultMode: 'acceptedits' }), 'permissions.defaultMode'],
    ['has a model that is no name', withDeny({ model: 5 }), 'model'],
    ['says yes for true', withDeny({ disableAllHooks: 'yes' }), 'disableAllHooks'],
    ['has an environment that is none', withDeny({ env: 'A=1' }), 'env'],
    ['has a hook without a list', withDeny({ hooks: { PreToolUse: [{ command: 'x' }] } }), 'hooks.PreToolUse.0.hooks'],
    ['denies by another tool', denying('Write(./secrets/**)'), 'permissions.deny "Write(./secrets/**)"'],
    ['denies by a rule that does not end', denying('Edit(./secrets/**'), 'permissions.deny "Edit(./secrets/**"'],
    ['denies by a small letter', denying('edit(./secrets/**)'), 'permissions.deny "edit(./secrets/**)"'],
  ])('that %s is ignored by Claude Code, and refused by us', async (_, text, field) => {
    expect(settingsFaults(text).map((fault) => fault.field)).toEqual([field]);
    expect(await isHeeded(text)).toBe(false);
  });

  it.each<[why: string, text: string]>([
    ['is plain', withDeny({})],
    ['begins with a mark of byte order', `\uFEFF${withDeny({})}`],
    ['has fields that nobody knows', withDeny({ whatever: { a: 1 }, env: { A: 1 } })],
    ['allows by a rule that is not heeded', permissions({ allow: ['Write(./a/**)', 5] })],
  ])('that %s is heeded, and is no fault', async (_, text) => {
    expect(settingsFaults(text)).toEqual([]);
    expect(await isHeeded(text)).toBe(true);
  });

  it('that is empty has nothing in it to be ignored', () => {
    expect(settingsFaults('\n')).toEqual([]);
  });
});

it.each<[rule: unknown, instead: string | null]>([
  ['Bash', null],
  ['*', null],
  ['Bash(rm (x))', null],
  ['Edit(/secrets/**)', null],
  ['Write', null],
  ['Write(*)', null],
  ['mcp__server__tool', null],
  ['SomeTool(x)', null],
  ['NotebookEdit(./a)', '"Edit(./a)"'],
  ['Glob(./a)', '"Read(./a)"'],
  ['mcp__server__tool(x)', '"mcp__server__tool"'],
  ['WebFetch(https://a.example/)', '"WebFetch(domain:example.com)"'],
  ['Edit ( ./a )', '"Tool" or "Tool(pattern)"'],
  ['Edit()', '"Edit"'],
  ['', '"Tool" or "Tool(pattern)"'],
  [5, '"Tool" or "Tool(pattern)"'],
])('of the rule %j is to be written %s', (rule, instead) => {
  expect(ruleFault(rule)?.instead ?? null).toBe(instead);
});

describe.each(['claude', 'claude-stream'] as const)('a session of %s', (kind) => {
  it.each(['settings.json', 'settings.local.json'])(
    'is not started beside a %s that would be ignored',
    async (name) => {
      await using stage = await claudeStage(() => say('Hello.'), { kind });
      const file = join(stage.folder, '.claude', name);
      await mkdir(dirname(file));
      await writeFile(file, JSON.stringify({ model: 5, env: { TOKEN: 'secret' }, permissions: { deny: 'Bash' } }));
      const refused = await stage.sessions.create(stage.spec()).catch((thrown: unknown) => thrown);
      expect(refused).toMatchObject({ code: 'invalid_settings', class: 'invalid_request' });
      const { message } = refused as Error;
      for (const word of [file, 'permissions.deny', 'array', 'model', 'string']) expect(message).toContain(word);
      expect(message).not.toContain('secret');
      expect(message).not.toContain('Bash');
      expect(stage.model.requests).toEqual([]);
    },
  );

  it('heeds personal settings of the repository that its worktree belongs to, so those are looked at as well', async () => {
    await using stage = await claudeStage(() => say('Hello.'), { kind });
    await using repository = await createGitRepository();
    const worktree = join(stage.folder, 'worktree');
    await repository.git(['worktree', 'add', worktree, '-b', 'other']);
    await mkdir(join(repository.path, '.claude'));
    await writeFile(join(repository.path, '.claude', 'settings.local.json'), denying('Write(./secrets/**)'));
    await expect(stage.open({ workspace: { kind: 'path', path: worktree } })).rejects.toMatchObject({
      code: 'invalid_settings',
      message: expect.stringContaining('"Edit(./secrets/**)"') as unknown,
    });
  });

  it('is heard and guarded where hooks may call listed addresses only', async () => {
    await using stage = await claudeStage(
      ({ rawBody }) =>
        rawBody.includes('"tool_result"')
          ? say('Done.')
          : useTool('Write', { file_path: join(stage.folder, 'src', 'a.txt'), content: '' }),
      { kind },
    );
    await mkdir(join(stage.folder, '.claude'));
    const settings = { allowedHttpHookUrls: ['https://hooks.example.com/*'] };
    await writeFile(join(stage.folder, '.claude', 'settings.json'), JSON.stringify(settings));
    const persona = { name: 'Mina', role: 'FE', prompt: 'p', scopePatterns: ['src/**'] };
    const id = await stage.open({ persona });
    expect((await stage.ask(id, 'Write it.')).text).toBe('Done.');
    expect((await stat(join(stage.folder, 'src', 'a.txt'))).size).toBe(0);
  });
});

it('rules of a session that would do nothing are refused', async () => {
  await using stage = await claudeStage(() => say('Hello.'), { kind: 'claude-stream' });
  await expect(stage.open({}, { disallowedTools: ['Bash', 'Write(./secrets/**)'] })).rejects.toMatchObject({
    code: 'invalid_settings',
    message: expect.stringContaining('"Edit(./secrets/**)"') as unknown,
  });
});
