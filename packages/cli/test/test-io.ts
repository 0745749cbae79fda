import { runLineSchema, type JobResult, type RunLine } from 'semo-office';
import {
  agentEnvironment,
  claudeBinary,
  startModelServer,
  temporaryFolder,
  type ModelScript,
  type ModelServer,
} from '@semo-office/testbed';

import { main, type CliIo } from '../src/index.ts';

/** What a run of the command left behind. */
export interface CliRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface SemoOptions {
  readonly stdin?: string | Uint8Array;
  readonly readStdin?: () => Promise<Uint8Array>;
  readonly env?: Record<string, string | undefined>;
  readonly signal?: AbortSignal;
  readonly hurry?: AbortSignal;
  readonly isTerminal?: boolean;
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
}

/** A place to run `semo` in: a working folder, a home of its own, and the real CLI against a scripted model. */
export interface CliStage extends AsyncDisposable {
  readonly model: ModelServer;
  readonly folder: string;
  readonly home: string;
  readonly env: Record<string, string>;
  semo(argv: readonly string[], options?: SemoOptions): Promise<CliRun>;
  /** `semo run --json …`: every line parsed with the schema core exports. */
  runJson(
    argv: readonly string[],
    options?: SemoOptions,
  ): Promise<{ status: number; lines: RunLine[]; result: JobResult }>;
}

export async function cliStage(script: ModelScript): Promise<CliStage> {
  const model = await startModelServer({ script });
  const work = await temporaryFolder('semo-work-');
  const home = await temporaryFolder('semo-home-');
  const env = {
    HOME: home.path,
    XDG_STATE_HOME: `${home.path}/state`,
    ...agentEnvironment(model, { maxRetries: 1 }),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  const semo: CliStage['semo'] = async (argv, options = {}) => {
    const out: string[] = [];
    const err: string[] = [];
    const io: CliIo = {
      env: { ...env, ...options.env },
      cwd: work.path,
      isTerminal: options.isTerminal ?? false,
      stdout(text) {
        out.push(text);
        options.onStdout?.(text);
      },
      stderr(text) {
        err.push(text);
        options.onStderr?.(text);
      },
      readStdin: options.readStdin ?? (() => Promise.resolve(Buffer.from(options.stdin ?? ''))),
      interruption: () => ({
        signal: options.signal ?? new AbortController().signal,
        hurry: options.hurry ?? new AbortController().signal,
        release: () => undefined,
      }),
    };
    const status = await main(argv, io);
    return { status, stdout: out.join(''), stderr: err.join('') };
  };
  return {
    model,
    folder: work.path,
    home: home.path,
    env,
    semo,
    async runJson(argv, options) {
      const { status, stdout } = await semo(['run', '--json', ...argv], options);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => runLineSchema.parse(JSON.parse(line)));
      const last = lines.at(-1);
      if (last?.type !== 'result') throw new Error(`The last line is no result: ${JSON.stringify(last)}`);
      return { status, lines, result: last };
    },
    async [Symbol.asyncDispose]() {
      await model.close();
      await work[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}
