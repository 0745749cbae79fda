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
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; at the second the process ends at once. `release` gives the signals back. */
  interruption(): { readonly signal: AbortSignal; readonly release: () => void };
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

function interruption(): ReturnType<CliIo['interruption']> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const name of ENDING_SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of ENDING_SIGNALS) process.off(name, onSignal);
    },
  };
}
