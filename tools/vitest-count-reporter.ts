import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Ends a test run with one plain line, `N passed, N failed`, after the coverage table, for CI to read. */
export default class CountReporter implements Reporter {
  #line: string | null = null;

  onInit(): void {
    // Coverage is reported after the last reporter hook: only the end of the process is the end of the output.
    process.once('exit', () => {
      if (this.#line !== null) writeSync(1, `\n${this.#line}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      // A file that cannot be loaded, or whose hooks throw, has errors and perhaps no test that failed.
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
      }
    }
    this.#line = `${passed} passed, ${failed} failed`;
  }
}
