import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { agentEnvironment, claudeBinary, temporaryFolder } from '../../src/index.ts';
import type { AgentEnvironmentOptions, ModelServer } from '../../src/index.ts';

/** One line the CLI printed in stream mode. */
export interface ClaudeLine extends Record<string, unknown> {
  readonly type: string;
}

/** A whole run of the CLI. */
export interface ClaudeRun {
  readonly lines: readonly ClaudeLine[];
  readonly result: ClaudeLine | undefined;
  readonly exitCode: number | null;
  readonly stderr: string;
}

export interface ClaudeRunOptions extends Omit<AgentEnvironmentOptions, 'configDir'> {
  readonly prompt: string;
  readonly cwd: string;
}

/** Runs the real CLI for one prompt, with its own configuration folder, to its end. */
export async function runClaude(
  server: Pick<ModelServer, 'url'>,
  { prompt, cwd, ...environment }: ClaudeRunOptions,
): Promise<ClaudeRun> {
  await using config = await temporaryFolder('semo-config-');
  const child = spawn(claudeBinary(), streamArguments, {
    cwd,
    env: agentEnvironment(server, { configDir: config.path, ...environment }),
  });
  const content = [{ type: 'text', text: prompt }];
  child.stdin.end(
    `${JSON.stringify({ type: 'user', message: { role: 'user', content }, parent_tool_use_id: null })}\n`,
  );
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const lines = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ClaudeLine);
  return { lines, result: lines.findLast(({ type }) => type === 'result'), exitCode: child.exitCode, stderr };
}

const streamArguments = [
  '--print',
  '--verbose',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--permission-mode=bypassPermissions',
];
