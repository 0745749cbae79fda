import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Names of our packages lead to their sources: the `paths` of tsconfig.json are the one list of them.
  resolve: { tsconfigPaths: true },
  test: {
    include: ['{packages/*,tools/*,bench,examples}/test/**/*.test.ts'],
    pool: 'forks',
    // Terminals and the real CLI are heavy: three files at a time keep two cores busy, since each waits now and then.
    maxWorkers: 3,
    // Of the tests that may run side by side within a file: most of their time they wait.
    maxConcurrency: 3,
    testTimeout: 30_000,
    hookTimeout: 30_000,
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
