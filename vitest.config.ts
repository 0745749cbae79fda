import { defineConfig } from 'vitest/config';

import SlowestFirst from './tools/vitest-sequencer.ts';

const pure = ['packages/core/test/**/*.test.ts'];

export default defineConfig({
  // Names of our packages lead to their sources: the `paths` of tsconfig.json are the one list of them.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['{packages/*,tools/*,bench,examples}/test/**/*.test.ts'], exclude: pure },
      },
      // Core does no I/O and keeps no state of its own: a process for each of its files costs more than they do.
      { extends: true, test: { name: 'core', include: pure, isolate: false } },
    ],
    sequence: { sequencer: SlowestFirst },
    pool: 'forks',
    // Terminals and the real CLI are heavy: three files at a time keep two cores busy, since each waits now and then.
    maxWorkers: 3,
    // Of the tests that may run side by side within a file: most of their time they wait.
    maxConcurrency: 3,
    // To end what hangs, not to measure: many times what the slowest tests take on a quiet machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
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
