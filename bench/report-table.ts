import { isMet, type Report, type Row, type Target } from './measurement.ts';

/** A report as lines of text. */
export function reportTable({ rows, targets }: Report): string {
  const header = ['', 'median', 'min', 'max', 'rounds', 'unit'];
  const lines = columns([header, ...rows.map(rowCells)]);
  return [...lines, ...targets.map(targetLine)].join('\n');
}

function rowCells({ what, unit, figures: { median, min, max, rounds } }: Row): string[] {
  return [what, ...[median, min, max].map(shown), String(rounds), unit];
}

function targetLine(target: Target): string {
  const { what, unit, value, promised } = target;
  const limit = 'atLeast' in promised ? `at least ${promised.atLeast}` : `at most ${promised.atMost}`;
  return `${isMet(target) ? 'kept  ' : 'MISSED'} ${what}: ${shown(value)} ${unit} (promised: ${limit})`.trim();
}

function columns(cells: readonly (readonly string[])[]): string[] {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || column === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    });
    return padded.join('  ').trimEnd();
  });
}

/** Three significant digits, and no exponent. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
