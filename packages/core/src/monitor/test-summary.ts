/** A run of tests in which everything passed; the count where it is told. */
export interface TestsPassed {
  readonly passed?: number;
}

const VITEST_FILES = /^\s*Test Files {2}(.*)\(\d+\)$/;
const VITEST_TESTS = /^\s*Tests {2}(.*)\(\d+\)$/;
const VITEST_ERRORS = /^\s*Errors {2}\d+ errors?$/;
const VITEST_DURATION = /^\s*Duration {2}/;
const JEST_SUITES = /^Test Suites: (.*), \d+ total$/;
const JEST_TESTS = /^Tests: (.*), \d+ total$/;
const NODE_COUNT = /^(?:#|ℹ) (pass|fail|cancelled) (\d+)$/;
const PYTEST = /^=* ?((?:\d+ [a-z]+, )*\d+ [a-z]+) in [\d.]+s(?: \([\d:]+\))? ?=*$/;
const CARGO = /^test result: (ok|FAILED)\. (\d+) passed; (\d+) failed;/;
const CARGO_FAILED = /^error: (?:test failed|\d+ targets? failed)/;
const GO_OK = /^ok\s+\S+\s+(?:[\d.]+s|\(cached\))/;
const GO_FAILED = /^(?:FAIL\b|\s*--- FAIL:|panic: )/;
const PLAIN = /\b(\d+) (?:tests? )?pass(?:ed|ing)[,;] 0 (?:tests? )?fail(?:ed|ing|ures)\b/;
const FAULT = /\b[1-9]\d* (?:failed|errors?)\b/;

/**
 * Reads the summaries that test runners print: vitest, jest, node:test, pytest, cargo, go, and "N passed, 0 failed". A run
 * with a failure has not passed, also where some of its parts have.
 */
export class TestSummary {
  /** Some file of the run could not even be loaded. */
  #suiteFailed = false;
  #vitest: number | null = null;
  #node: { passed: number; failed: number | null } | null = null;
  #cargo = { passed: 0, failed: false };
  #go = { seen: false, failed: false };

  /** Takes a line; tells of the run that it completes. */
  read(line: string): TestsPassed | null {
    return this.#readVitest(line) ?? this.#readJest(line) ?? this.#readNode(line) ?? this.#readOthers(line);
  }

  /** No more lines come: runners that print a line for each part have said all. */
  settle(): TestsPassed | null {
    const { passed, failed } = this.#cargo;
    const node = this.#node?.failed === 0 ? this.#node.passed : null;
    const counted = this.#vitest ?? node ?? (passed > 0 && !failed ? passed : null);
    const go = this.#go.seen && !this.#go.failed;
    this.#suiteFailed = false;
    this.#vitest = null;
    this.#node = null;
    this.#cargo = { passed: 0, failed: false };
    this.#go = { seen: false, failed: false };
    if (counted !== null) return { passed: counted };
    return go ? {} : null;
  }

  #readVitest(line: string): TestsPassed | null {
    const files = VITEST_FILES.exec(line)?.[1];
    if (files !== undefined) this.#suiteFailed = FAULT.test(files);
    const tests = VITEST_TESTS.exec(line)?.[1];
    if (tests !== undefined) this.#vitest = this.#suiteFailed ? null : passedOf(tests);
    if (VITEST_ERRORS.test(line)) this.#vitest = null;
    if (this.#vitest === null || !VITEST_DURATION.test(line)) return null;
    const passed = this.#vitest;
    this.#vitest = null;
    return { passed };
  }

  #readJest(line: string): TestsPassed | null {
    const suites = JEST_SUITES.exec(line)?.[1];
    if (suites !== undefined) this.#suiteFailed = FAULT.test(suites);
    const passed = passedOf(JEST_TESTS.exec(line)?.[1] ?? '');
    return passed === null || this.#suiteFailed ? null : { passed };
  }

  /** `pass`, `fail` and `cancelled` come in this order, each on a line of its own. */
  #readNode(line: string): TestsPassed | null {
    const [, word, count = '0'] = NODE_COUNT.exec(line) ?? [];
    if (word === 'pass') this.#node = { passed: Number(count), failed: null };
    if (this.#node === null) return null;
    if (word === 'fail') this.#node.failed = Number(count);
    if (word !== 'cancelled') return null;
    const { passed, failed } = this.#node;
    this.#node = null;
    return passed > 0 && failed === 0 && count === '0' ? { passed } : null;
  }

  #readOthers(line: string): TestsPassed | null {
    const [, word, passed = '0', failed = '0'] = CARGO.exec(line) ?? [];
    if (word !== undefined) {
      this.#cargo.passed += Number(passed);
      this.#cargo.failed ||= word !== 'ok' || failed !== '0';
      return null;
    }
    this.#cargo.failed ||= CARGO_FAILED.test(line);
    this.#go.seen ||= GO_OK.test(line);
    this.#go.failed ||= GO_FAILED.test(line);
    const told = passedOf(PYTEST.exec(line)?.[1] ?? '') ?? Number(PLAIN.exec(line)?.[1] ?? 0);
    return told > 0 ? { passed: told } : null;
  }
}

/** How many passed, of "10 passed | 2 skipped"; `null` if none did or anything failed. */
function passedOf(counts: string): number | null {
  const passed = Number(/\b(\d+) passed\b/.exec(counts)?.[1] ?? 0);
  return passed === 0 || FAULT.test(counts) ? null : passed;
}
