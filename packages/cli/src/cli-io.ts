/** What a command touches of the process it runs in. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether a person looks at the progress. */
  readonly isTerminal: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
  /** All of standard input. */
  readStdin(): Promise<Uint8Array>;
  /** Takes the signals that end a process, until they are given back. */
  interruption(options?: { readonly canHurry?: boolean }): Interruption;
}

/** SIGINT, SIGTERM or SIGHUP, while a command sees to its end by itself. */
export interface Interruption {
  /** Aborts at the first of them. At the next the process ends at once. */
  readonly signal: AbortSignal;
  /** Where whoever asked can hurry, the second aborts this instead, and the third ends the process. */
  readonly hurry: AbortSignal;
  readonly release: () => void;
}

/** What a shell, a service manager and a terminal that is closed send. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real thing. */
export function processIo(): CliIo {
  // A reader that goes away (`semo run | head`) must not end the work before it is cleaned up.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  return {
    env: process.env,
    cwd: process.cwd(),
    isTerminal: process.stderr.isTTY,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readStdin,
    interruption,
  };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function interruption({ canHurry = false }: { readonly canHurry?: boolean } = {}): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  const steps = canHurry ? [first, second] : [first];
  const onSignal = () => {
    const next = steps.find(({ signal }) => !signal.aborted);
    if (next === undefined) process.exit(130);
    next.abort();
  };
  for (const name of ENDING_SIGNALS) process.on(name, onSignal);
  return {
    signal: first.signal,
    hurry: second.signal,
    release: () => {
      for (const name of ENDING_SIGNALS) process.off(name, onSignal);
    },
  };
}
