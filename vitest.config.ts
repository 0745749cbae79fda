import { defineConfig } from 'vitest/config';

import SlowestFirst from './tools/vitest-sequencer.ts';

/** What changes its environment, or measures or watches itself, needs a process of its own. */
const alone = [
  '{packages/{cli,semo-office,store-sqlite},bench,examples}/test/**/*.test.ts',
  'packages/pty-host/test/output-log.test.ts',
  'packages/pty-host/test/agent/claude/stream/flow.test.ts',
  'packages/pty-host/test/terminal/terminal.test.ts',
];

export default defineConfig({
  // Names of our packages lead to their sources: the `paths` of tsconfig.json are the one list of them.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      // The others share processes: starting one and loading our sources costs more than most files do.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['{packages/*,tools/*}/test/**/*.test.ts'],
          exclude: alone,
          isolate: false,
        },
      },
    ],
    sequence: { sequencer: SlowestFirst },
    pool: 'forks',
    // Terminals and the real CLI are heavy: three files at a time keep two cores busy, since each waits now and then. Four cost a
    // tenth more of both cores for the same tests.
    maxWorkers: 3,
    // Of the tests that may run side by side within a file: most of their time they wait.
    maxConcurrency: 3,
    // To end what hangs, not to measure: many times what the slowest tests take on a quiet machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default', './tools/vitest-count-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts', 'packages/core/testing/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      reportsDirectory: 'coverage',
      thresholds: { lines: 90 },
    },
  },
});
