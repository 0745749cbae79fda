import type { RunLine } from 'semo-office';

/** Where progress is shown. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows what several agents are doing: one live line each on a terminal, plain lines elsewhere. */
export interface Progress {
  line(who: string, line: RunLine): void;
  close(): void;
}

const REFRESH_MS = 200;

export function showProgress(crew: readonly string[], output: ProgressOutput): Progress {
  const startedAt = Date.now();
  const states = new Map(crew.map((who) => [who, 'waiting']));
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s`;
  if (output.isTTY !== true) {
    return {
      line(who, line) {
        const state = describe(line);
        if (state !== null) output.write(`${elapsed()}  ${who.padEnd(4)} ${state}\n`);
      },
      close: () => undefined,
    };
  }
  let drawn = 0;
  const draw = () => {
    const lines = [...states].map(([who, state]) => `\u001b[K  ${who.padEnd(4)} ${state.padEnd(34)} ${elapsed()}`);
    output.write(`${drawn === 0 ? '' : `\u001b[${drawn}A`}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, REFRESH_MS);
  return {
    line(who, line) {
      const state = describe(line);
      if (state !== null) states.set(who, state);
    },
    close() {
      clearInterval(timer);
      draw();
    },
  };
}

function describe(line: RunLine): string | null {
  switch (line.type) {
    case 'status':
      return line.status;
    case 'milestone':
      return `milestone: ${line.kind}`;
    case 'request':
      return `needs a person: ${line.tool ?? line.kind}`;
    case 'stalled':
      return `quiet for ${Math.round(line.forMs / 1000)} s`;
    case 'turn':
      return `turn ${line.outcome} by ${line.decidedBy}`;
    default:
      return null;
  }
}
