import { describe, expect, it } from 'vitest';

import { compileRules, isSemoError, type HumanRequest, type RequestRule } from '../../src/index.ts';

const ask = (tool: string, input: unknown = {}, more: Partial<HumanRequest> = {}): HumanRequest => ({
  requestId: 'req_1',
  sessionId: 'ses_1',
  turnId: 'turn_1',
  kind: 'permission',
  tool,
  input,
  askedAt: 1,
  ...more,
});
const allow = (rule: Partial<RequestRule>): RequestRule => ({ name: 'r', answer: { behavior: 'allow' }, ...rule });
const matches = (rule: Partial<RequestRule>, request: HumanRequest) => compileRules([allow(rule)])(request) !== null;
const bash = (command: string) => ask('Bash', { command });

describe('a rule for requests', () => {
  it.each([
    ['npm test', 'npm test', true],
    ['npm test', 'npm test --watch', false],
    ['npm run *', 'npm run build', true],
    ['npm run *', 'npm run build -- --out dist/a b', true],
    ['npm run *', 'npm run', false],
    ['npm run *', 'sudo npm run build', false],
    ['* --version', 'node --version', true],
    ['git log*', 'git log', true],
    ['git log*', 'git log; rm -rf .', false],
    ['git log*', 'git log && rm -rf .', false],
    ['git log*', 'git log | sh', false],
    ['git log*', 'git log $(rm x)', false],
    ['git log*', 'git log `rm x`', false],
    ['git log*', 'git log > ~/.bashrc', false],
    ['git log*', 'git log\nrm x', false],
    ['git log*', 'git log \\', false],
    ['a;b*', 'a;b c', true],
    ['*;*', 'a;b', true],
    ['*;*', 'a;b;c', false],
    ['* x *;* y', 'a x b;c y', true],
    ['* x *;* y', 'a;x b;c y', false],
    ['echo \\* *', 'echo * x', true],
    ['echo \\* *', 'echo a x', false],
  ])('by command %j of %j: %s', (pattern, command, expected) => {
    expect(matches({ input: { command: { command: pattern } } }, bash(command))).toBe(expected);
  });

  it.each([
    ['/srv/app/**', '/srv/app/src/a.ts', true],
    ['/srv/app/**', '/srv/app/../secret', false],
    ['/srv/app/**', '/srv/apple', false],
    ['/srv/app/*', '/srv/app/a.ts', true],
    ['/srv/app/*', '/srv/app/src/a.ts', false],
    ['/srv/**/*.ts', '/srv/a.ts', true],
    ['/srv/**/*.ts', '/srv/a/b/c.ts', true],
    ['/srv/**/*.ts', '/srv/a/b/c.js', false],
    ['**/.env', '/srv/app/.env', true],
    ['**/.env', '.env', true],
    ['**/.env', '/srv/app/x.env', false],
    ['**/.env', '/srv/app/./.env', true],
    ['src/**', './src/a.ts', true],
    ['src/**', 'src/../../src/a.ts', false],
    ['../*', 'x/../../a', true],
    ['/a', '/../..//a/', true],
    ['**', '/anything/at/all', true],
  ])('by path %j of %j: %s', (pattern, path, expected) => {
    expect(matches({ input: { file_path: { path: pattern } } }, ask('Edit', { file_path: path }))).toBe(expected);
  });

  it.each([
    [{ tool: 'Bash' }, true],
    [{ tool: 'Ba*' }, true],
    [{ tool: 'mcp__*' }, false],
    [{ kind: 'permission' }, true],
    [{ kind: 'question' }, false],
    [{}, true],
    [{ input: { command: { text: '*sum*' } } }, true],
    [{ input: { command: { text: 'sum*' } } }, false],
    [{ input: { command: { is: 'cat sum.txt' } } }, true],
    [{ input: { timeout: { is: 5 }, background: { is: true } } }, true],
    [{ input: { timeout: { is: 6 } } }, false],
    [{ input: { timeout: { text: '*' } } }, false],
    [{ input: { missing: { text: '*' } } }, false],
    [{ input: { constructor: { text: '*' } } }, false],
  ] as const)('%j: %s', (rule, expected) => {
    expect(matches(rule, ask('Bash', { command: 'cat sum.txt', timeout: 5, background: true }))).toBe(expected);
  });

  it('matches no field of what is no object', () => {
    for (const input of [undefined, null, 'text', ['a']])
      expect(matches({ input: { command: { text: '*' } } }, ask('Bash', input))).toBe(false);
    expect(matches({ tool: '*' }, ask('x', {}, { tool: undefined }))).toBe(false);
  });

  it('that denies counts more than any that allows, wherever it stands', () => {
    const decide = compileRules([
      allow({ name: 'first' }),
      allow({ name: 'second', answer: { behavior: 'allow', updatedInput: { x: 1 } } }),
      { name: 'no', tool: 'Bash', answer: { behavior: 'deny', message: 'Not here.' } },
    ]);
    expect(decide(bash('ls'))).toEqual({ rule: 'no', answer: { behavior: 'deny', message: 'Not here.' } });
    expect(decide(ask('Read'))).toEqual({ rule: 'first', answer: { behavior: 'allow' } });
    expect(compileRules([])(bash('ls'))).toBeNull();
  });

  it.each([
    [{ tool: '' }],
    [{ input: { command: { command: 'a\\b' } } }],
    [{ input: { command: { text: 'ends with \\' } } }],
    [{ input: { command: { text: 'a\nb' } } }],
    [{ input: { command: { text: 'x'.repeat(501) } } }],
    [{ input: { file_path: { path: 'src/{a,b}' } } }],
    [{ input: { file_path: { path: 'src/[ab]' } } }],
    [{ input: { file_path: { path: '!src/**' } } }],
    [{ input: { file_path: { path: '/a/***' } } }],
    [{ input: { file_path: { glob: 'src/**' } } }],
    [{ input: { file_path: { path: 'a', text: 'b' } } }],
    [{ answer: { behavior: 'perhaps' } }],
    [{ name: '' }],
    [{ unknown: true }],
  ])('that is none is refused: %j', (wrong) => {
    let thrown: unknown;
    try {
      compileRules([{ name: 'r', answer: { behavior: 'allow' }, ...wrong } as unknown as RequestRule]);
    } catch (error) {
      thrown = error;
    }
    expect(isSemoError(thrown, 'invalid_argument')).toBe(true);
  });

  it('takes no longer for a pattern that is made to', () => {
    const slow = `${'*a'.repeat(200)}*b`;
    // An engine that goes back and tries again would not live to see the end of it.
    const command = 'a'.repeat(300_000);
    expect(matches({ input: { command: { text: slow } } }, bash(command))).toBe(false);
    expect(matches({ input: { command: { command: slow } } }, bash(command))).toBe(false);
    expect(matches({ input: { command: { text: slow } } }, bash(`${command}b`))).toBe(true);
  });
});
