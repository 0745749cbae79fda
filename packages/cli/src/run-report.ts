import { assertNever, type JobResult, type RunLine } from 'semo-office';

import type { CliIo } from './cli-io.ts';

/** Shows a run while it happens. */
export interface RunReport {
  line(line: RunLine): void;
  close(): void;
}

const ERASE_LINE = '\r\x1b[K';
const REFRESH_MS = 1000;

/**
 * With `json` every line goes to standard output as it is. Otherwise progress goes to standard error (one live line on a
 * terminal, plain lines elsewhere) and the agent's final message to standard output.
 */
export function createRunReport(io: CliIo, { json }: { readonly json: boolean }): RunReport {
  if (json) return { line: (line) => io.stdout(`${JSON.stringify(line)}\n`), close: () => undefined };
  return io.isTerminal ? liveReport(io) : plainReport(io);
}

function plainReport(io: CliIo): RunReport {
  return {
    line(line) {
      const text = sentence(line);
      if (text !== null) io.stderr(`${text}\n`);
      if (line.type === 'result') tellResult(line, io);
    },
    close: () => undefined,
  };
}

function liveReport(io: CliIo): RunReport {
  const startedAt = Date.now();
  let state = 'starting';
  const draw = () => io.stderr(`${ERASE_LINE}${state} · ${Math.round((Date.now() - startedAt) / 1000)} s`);
  const timer = setInterval(draw, REFRESH_MS);
  return {
    line(line) {
      const text = sentence(line);
      if (text === null) return;
      if (line.type === 'status') state = line.status;
      else io.stderr(`${ERASE_LINE}${text}\n`);
      draw();
      if (line.type !== 'result') return;
      io.stderr(ERASE_LINE);
      tellResult(line, io);
    },
    close: () => clearInterval(timer),
  };
}

function tellResult({ text, error }: JobResult, io: CliIo): void {
  if (error !== null) io.stderr(`${error.message}\n`);
  if (text !== '') io.stdout(`${text}\n`);
}

/** What a line says to a person; `null` where it says nothing. */
function sentence(line: RunLine): string | null {
  switch (line.type) {
    case 'status':
      return `session ${line.status}`;
    case 'output':
      return null;
    case 'milestone':
      return `milestone: ${line.kind}`;
    case 'progress':
      return `progress: ${line.percent} %`;
    case 'request':
      return `needs a person: ${line.kind}${line.tool === undefined ? '' : ` for ${line.tool}`}`;
    case 'stalled':
      return `quiet for ${Math.round(line.forMs / 1000)} s`;
    case 'turn':
      return `turn ${line.outcome} (${line.confidence}, by ${line.decidedBy})`;
    case 'result':
      return `${line.outcome} in ${(line.durationMs / 1000).toFixed(1)} s`;
    default:
      return assertNever(line);
  }
}
