import { assertNever } from '../errors.ts';
import { textStart } from '../text-start.ts';
import type { Evidence } from './evidence.ts';
import {
  allTestsIn,
  announcesPullRequest,
  buildIn,
  commitInOutput,
  milestoneInSpeech,
  pullRequestAddress,
  pullRequestIn,
} from './line-milestones.ts';
import type { LinePattern, Milestone } from './milestone.ts';
import { onlyShows, ownLines, type Words } from './spoken-words.ts';
import { TestSummary } from './test-summary.ts';
import { troubleInOutput, troubleInSpeech } from './trouble.ts';

/** What is written beyond this in a line is not looked at, in characters. */
const LONGEST_LINE = 2000;
/** As much of a line is kept with an error or a milestone. */
const KEPT_TEXT = 300;
const PROGRESS = /\[SEMO:PROGRESS (\d{1,3}(?:\.\d+)?) ?%\]/g;
const CREATES_PULL_REQUEST = /\b(?:pr|mr) create\b/;

/** What words can tell: never by themselves that a turn is over. */
export type Finding = Extract<Evidence, { kind: 'milestone' | 'trouble' | 'progress' }>;

/**
 * Finds milestones, errors and progress in the words of one turn. Pure but for what it remembers: summaries that take
 * several lines. The same thing told twice is found twice; the monitor keeps each once.
 *
 * @example
 * ```ts
 * const reader = new WordsReader();
 * reader.read({ by: 'tool', text: '[main 1a2b3c4] Add the page\n' }, now); // a milestone: commit 1a2b3c4 on main
 * ```
 */
export class WordsReader {
  readonly #patterns: readonly LinePattern[];
  readonly #echoes: Set<string>;
  readonly #program = new OutputLines();

  /**
   * @param patterns Milestones of the caller's own.
   * @param prompt What the turn was asked: a line of a program's that only shows a line of it again tells nothing.
   */
  constructor(patterns: readonly LinePattern[] = [], prompt = '') {
    this.#patterns = patterns;
    this.#echoes = new Set(prompt.split('\n').map((line) => cut(line).trim()));
    this.#echoes.delete('');
  }

  /** What the words tell; `at` is when they were heard, in epoch milliseconds. */
  read(words: Words, at: number): Finding[] {
    switch (words.by) {
      case 'agent':
        return ownLines(words.text).flatMap((line) => this.#said(cut(line), at));
      case 'tool':
        return this.#printed(words, at);
      case 'program':
        return this.#printedByProgram(words, at);
      default:
        return assertNever(words);
    }
  }

  /** What the program's words tell now that no more follow. */
  settle(at: number): Finding[] {
    return this.#program.settle().map((milestone) => ({ kind: 'milestone', at, milestone }));
  }

  #said(line: string, at: number): Finding[] {
    const milestones = [milestoneInSpeech(line), allTestsIn(line)].filter((found) => found !== null);
    const trouble = troubleInSpeech(line);
    return [
      ...progressIn(line, at),
      ...[...milestones, ...this.#custom(line)].map((milestone) => ({ kind: 'milestone', at, milestone }) as const),
      ...(trouble === null ? [] : [{ kind: 'trouble', at, class: trouble, text: kept(line), by: 'agent' } as const]),
    ];
  }

  #printed({ text, command = '', stream }: Extract<Words, { by: 'tool' }>, at: number): Finding[] {
    const lines = new OutputLines({ expectsAddress: CREATES_PULL_REQUEST.test(command) });
    const shown = onlyShows(command);
    // What such a command prints was written before; only its own complaints are news.
    if (shown && stream !== 'error') return [];
    const findings = text.split('\n').flatMap((line) => this.#line(cut(line), { at, lines }));
    const settled = lines.settle().map((milestone) => ({ kind: 'milestone', at, milestone }) as const);
    return [...findings, ...settled].filter(({ kind }) => !shown || kind === 'trouble');
  }

  #printedByProgram({ text, offset }: Extract<Words, { by: 'program' }>, at: number): Finding[] {
    const line = cut(text);
    if (this.#isEcho(line)) return [];
    return [...progressIn(line, at), ...this.#line(line, { at, lines: this.#program, offset })];
  }

  /** A line of the prompt counts only if it would tell something itself: `y` stands in many lines. */
  #isEcho(line: string): boolean {
    for (const echo of this.#echoes) {
      if (line.includes(echo) && this.#tellsSomething(echo)) return true;
    }
    return false;
  }

  #tellsSomething(line: string): boolean {
    const lines = new OutputLines();
    const found = [...progressIn(line, 0), ...this.#line(line, { at: 0, lines })];
    return found.length > 0 || lines.settle().length > 0;
  }

  #line(
    line: string,
    { at, lines, offset }: { at: number; lines: OutputLines; offset?: number | undefined },
  ): Finding[] {
    const place = offset === undefined ? {} : { offset };
    const trouble = troubleInOutput(line);
    return [
      ...[...lines.read(line), ...this.#custom(line)].map(
        (milestone) => ({ kind: 'milestone', at, milestone: { ...milestone, ...place } }) as const,
      ),
      ...(trouble === null
        ? []
        : [{ kind: 'trouble', at, class: trouble, text: kept(line), by: 'tool', ...place } as const]),
    ];
  }

  #custom(line: string): Milestone[] {
    return this.#patterns
      .filter((pattern) => pattern.isIn(line))
      .map(({ name }) => ({ kind: 'custom', name, text: kept(line) }));
  }
}

/** The milestones of one output, line by line. */
class OutputLines {
  readonly #tests = new TestSummary();
  #expectsAddress: boolean;

  constructor({ expectsAddress = false }: { readonly expectsAddress?: boolean } = {}) {
    this.#expectsAddress = expectsAddress;
  }

  read(line: string): Milestone[] {
    const tests = this.#tests.read(line);
    if (announcesPullRequest(line)) this.#expectsAddress = true;
    const address = this.#expectsAddress ? pullRequestAddress(line) : null;
    if (address !== null) this.#expectsAddress = false;
    return [
      commitInOutput(line),
      pullRequestIn(line) ?? address,
      buildIn(line),
      tests === null ? allTestsIn(line) : ({ kind: 'tests_passed', ...tests } as const),
    ].filter((found) => found !== null);
  }

  settle(): Milestone[] {
    const tests = this.#tests.settle();
    return tests === null ? [] : [{ kind: 'tests_passed', ...tests }];
  }
}

function progressIn(line: string, at: number): Finding[] {
  return [...cut(line).matchAll(PROGRESS)]
    .map(([, percent]) => Number(percent))
    .filter((percent) => percent <= 100)
    .map((percent) => ({ kind: 'progress', at, percent }));
}

function cut(line: string): string {
  return textStart(line, LONGEST_LINE).trimEnd();
}

function kept(line: string): string {
  return textStart(line.trim(), KEPT_TEXT);
}
