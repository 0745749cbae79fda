import { outcomeSchema } from '@semo-office/core';

import type { TrialResult } from './trial-result.ts';

const SAID = [...outcomeSchema.options, 'false completion', 'no verdict'] as const;

/** Rows are how turns really ended, columns what was said of them. */
export function confusionTable(results: readonly TrialResult[]): string {
  const columns = SAID.filter((said) => results.some((result) => result.said === said));
  const rows = outcomeSchema.options
    .map((really) => ({ really, those: results.filter((result) => result.really === really) }))
    .filter(({ those }) => those.length > 0)
    .map(({ really, those }) => [really, ...columns.map((said) => count(those, (result) => result.said === said))]);
  return markdown(['really', ...columns.map((said) => `said ${said}`)], rows);
}

/** How simple monitors did on the same turns in terminals, and the driver beside them. */
export function naiveTable(results: readonly TrialResult[]): string {
  const terminal = results.filter(({ naive }) => Object.keys(naive).length > 0);
  const names = [...new Set(terminal.flatMap(({ naive }) => Object.keys(naive)))];
  const rows = names.map((name) => [
    name,
    count(terminal, ({ naive }) => naive[name] === 'false'),
    count(terminal, ({ naive }) => naive[name] === 'missed'),
  ]);
  const ours = [
    'the evidence of the driver',
    count(terminal, ({ judgement }) => judgement.kind === 'false_completion'),
    count(terminal, ({ judgement }) => judgement.kind === 'miss'),
  ];
  return markdown([`watched by (${terminal.length} turns)`, 'false completions', 'misses'], [...rows, ours]);
}

function count(results: readonly TrialResult[], isCounted: (result: TrialResult) => boolean): string {
  return String(results.filter(isCounted).length);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
