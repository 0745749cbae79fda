import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { WordsReader, type Finding, type Words } from '../../src/index.ts';

function told(...words: readonly Words[]): Finding[] {
  const reader = new WordsReader([{ name: 'deployed', isIn: (line) => line.includes('deployed to') }]);
  return [...words.flatMap((piece) => reader.read(piece, 7)), ...reader.settle(7)];
}

function milestones(...words: readonly Words[]): object[] {
  return told(...words).flatMap((finding) => (finding.kind === 'milestone' ? [finding.milestone] : []));
}

const tool = (text: string, command?: string): Words => ({ by: 'tool', text, command });
const agent = (text: string): Words => ({ by: 'agent', text });

describe('what tools print', () => {
  it.each<[string, string, object]>([
    ['git', '[main 1a2b3c4] Add the page\n 1 file changed\n', { kind: 'commit', hash: '1a2b3c4', branch: 'main' }],
    ['git, first', '[feat/x (root-commit) 1a2b3c4] Begin', { kind: 'commit', hash: '1a2b3c4', branch: 'feat/x' }],
    ['git, detached', '[detached HEAD 1a2b3c4d] Fix', { kind: 'commit', hash: '1a2b3c4d' }],
    ['a forge', 'Created pull request #12', { kind: 'pull_request', number: 12 }],
    [
      'gh',
      'Creating pull request for x into main in o/r\n\nhttps://github.com/o/r/pull/7\n',
      { kind: 'pull_request', number: 7, url: 'https://github.com/o/r/pull/7' },
    ],
    ['vitest', ' Test Files  2 passed (2)\n      Tests  12 passed (12)\n   Duration  1.2s', { passed: 12 }],
    ['vitest, skipping', '      Tests  10 passed | 2 skipped (12)\n   Duration  1.2s', { passed: 10 }],
    ['jest', 'Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total', { passed: 3 }],
    ['node', 'ℹ tests 5\nℹ suites 0\nℹ pass 5\nℹ fail 0\nℹ cancelled 0\n', { passed: 5 }],
    ['node as TAP', '# pass 5\n# fail 0\n# cancelled 0', { passed: 5 }],
    ['pytest', '======= 4 passed, 1 warning in 0.12s =======', { passed: 4 }],
    ['pytest -q', '4 passed in 0.12s', { passed: 4 }],
    ['go', 'ok  \texample.com/a\t0.012s\nok  \texample.com/b\t(cached)', { kind: 'tests_passed' }],
    [
      'cargo',
      'test result: ok. 4 passed; 0 failed; 0 ignored\n   Doc-tests x\ntest result: ok. 1 passed; 0 failed;',
      { passed: 5 },
    ],
    ['a plain summary', '31 passed, 0 failed', { passed: 31 }],
    ['words', 'All tests passed!', { kind: 'tests_passed' }],
    ['vite', '✓ built in 1.02s', { kind: 'build_completed' }],
    ['gradle', 'BUILD SUCCESSFUL in 2s', { kind: 'build_completed' }],
    ['words', 'Build completed successfully', { kind: 'build_completed' }],
    ['a pattern of the caller', 'now deployed to staging', { kind: 'custom', name: 'deployed' }],
  ])('%s: %j', (_, text, milestone) => {
    expect(milestones(tool(text))).toMatchObject([milestone]);
  });

  it.each([
    ['a failure beside', '      Tests  1 failed | 11 passed (12)\n   Duration  1s'],
    ['a file that does not load', ' Test Files  1 failed | 1 passed (2)\n      Tests  11 passed (11)\n   Duration  1s'],
    ['an unhandled error', '      Tests  11 passed (11)\n     Errors  1 error\n   Duration  1s'],
    ['a jest suite that does not load', 'Test Suites: 1 failed, 1 total\nTests:       3 passed, 3 total'],
    ['a failing test of node', '# pass 5\n# fail 1\n# cancelled 0'],
    ['a cancelled test of node', '# pass 5\n# fail 0\n# cancelled 2'],
    ['an error of pytest', '==== 4 passed, 1 error in 0.12s ===='],
    ['another package of go', 'ok  \ta\t0.01s\nFAIL\tb\t0.02s'],
    ['another target of cargo', 'test result: ok. 4 passed; 0 failed;\ntest result: FAILED. 1 passed; 2 failed;'],
    ['no tests at all', '0 passed, 0 failed'],
    ['a denial', 'Not all tests passed'],
    ['a mark in a list', '- [x] 1a2b3c4] done'],
    ['an address in a listing', 'https://github.com/o/r/pull/7'],
  ])('is no milestone with %s', (_, text) => {
    expect(milestones(tool(text))).toEqual([]);
  });

  it('is no news where a command only shows what is written', () => {
    const text = '[main 1a2b3c4] Add the page\nError: in a log\n';
    for (const command of ['cat notes.txt', 'git log --oneline | head -3', 'grep -n Error src/*.ts; echo x']) {
      expect(told(tool(text, command))).toEqual([]);
    }
    expect(told({ by: 'tool', command: 'cat x', stream: 'error', text: 'cat: x: No such file or directory' })).toEqual([
      { kind: 'trouble', at: 7, class: 'not_found', by: 'tool', text: 'cat: x: No such file or directory' },
    ]);
    expect(milestones(tool(text, 'git commit -m x && git log -1'))).toHaveLength(1);
  });

  it.each([
    ["Error: Cannot find module './x'", 'not_found'],
    ["ENOENT: no such file or directory, open 'x'", 'not_found'],
    ['bash: line 1: ./x: Permission denied', 'permission'],
    ['fatal: not a git repository', 'unknown'],
    ['remote: Authentication failed', 'auth'],
    ['src/a.ts(3,4): error TS2322: Type …', 'unknown'],
    ['TypeError: x is not a function', 'unknown'],
    ['npm error code 1', 'unknown'],
    ['Segmentation fault (core dumped)', 'crash'],
    ['curl: (28) Connection timed out', 'timeout'],
    ['API rate limit exceeded', 'rate_limit'],
  ])('%s is trouble of class %s', (text, errorClass) => {
    expect(told(tool(text))).toMatchObject([{ kind: 'trouble', class: errorClass, text }]);
  });

  it.each(["throw new Error('no');", 'const message = "Error: none";', '0 errors', 'errorCount: 0'])(
    '%s is no trouble',
    (text) => {
      expect(told(tool(text))).toEqual([]);
    },
  );
});

describe('what the agent says', () => {
  it('tells of what it did, not of what it plans, quotes or shows', () => {
    expect(
      milestones(agent('Done: [main 1a2b3c4] Add it.\nCreated pull request #3 (https://h.io/o/r/pull/3).')),
    ).toEqual([
      { kind: 'commit', hash: '1a2b3c4', branch: 'main' },
      { kind: 'pull_request', number: 3, url: 'https://h.io/o/r/pull/3' },
    ]);
    expect(milestones(agent('All 12 tests passed.'))).toEqual([{ kind: 'tests_passed', passed: 12 }]);
    for (const text of [
      '> Created pull request #3',
      '```\n[main 1a2b3c4] Add it\n```',
      'I have not created pull request #3.',
      'Once all tests pass, I will commit.',
      'I did not get as far as: Build completed successfully',
    ])
      expect(milestones(agent(text))).toEqual([]);
  });

  it('tells progress, and errors at the start of a line only', () => {
    expect(told(agent('[SEMO:PROGRESS 50%] half\n[SEMO:PROGRESS 900%]'))).toEqual([
      { kind: 'progress', at: 7, percent: 50 },
    ]);
    expect(told(agent('It printed Error: x\nError: permission denied'))).toMatchObject([
      { kind: 'trouble', class: 'permission', by: 'agent' },
    ]);
    expect(told(tool('[SEMO:PROGRESS 50%]'))).toEqual([]);
  });
});

it('keeps the place of a program’s line', () => {
  expect(told({ by: 'program', text: '[main 1a2b3c4] Add it', offset: 99 })).toMatchObject([
    { kind: 'milestone', milestone: { kind: 'commit', offset: 99 } },
  ]);
  expect(told({ by: 'program', text: 'fatal: no', offset: 5 })).toMatchObject([{ kind: 'trouble', offset: 5 }]);
  expect(told({ by: 'program', text: '[SEMO:PROGRESS 5%]' })).toMatchObject([{ kind: 'progress', percent: 5 }]);
});

it('keeps a line in whole characters', () => {
  const error = `Error: ${'a'.repeat(292)}`;
  const trouble = { kind: 'trouble', text: error };
  for (const said of [tool, agent]) expect(told(said(`${error}🎉 and more`))).toMatchObject([trouble]);
});

it('takes any text, and hostile lines in little time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('tool', 'agent', 'program'), (text, by) => {
      expect(Array.isArray(told({ by, text }))).toBe(true);
    }),
  );
  const hostile = ['1 a, ', 'Error', '[a ', 'created a ', 'Tests  1 ', 'https://a/pull/', '1 passed '];
  const began = performance.now();
  for (const piece of hostile) told(tool(`${piece.repeat(20_000)}\n`.repeat(10)));
  expect(performance.now() - began).toBeLessThan(15_000);
});

it('takes no line for news that only shows a line of the prompt again', () => {
  const reader = new WordsReader([], 'Do it.\n[main 1a2b3c4] Add it\ny');
  expect(reader.read({ by: 'program', text: '> [main 1a2b3c4] Add it' }, 7)).toEqual([]);
  expect(reader.read({ by: 'program', text: '[main 5e6f7a8] Try it' }, 7)).toHaveLength(1);
});
