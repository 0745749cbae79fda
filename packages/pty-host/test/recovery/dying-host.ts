import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  newId,
  sessionInfoSchema,
  type AgentSpec,
  type PromptOptions,
  type SessionManager,
  type SessionSpec,
} from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  startModelServer,
  temporaryFolder,
  type ModelScript,
  type ModelServer,
} from '@semo-office/testbed';
import { vi } from 'vitest';

import { createPtySessionManager } from '../../src/index.ts';

const script = fileURLToPath(new URL('../fixtures/dying-host.mjs', import.meta.url));

/** A prompt for a host that will die. `wait`: what it waits for before the next one; `written`: that it ended, and stands in the transcript. */
export interface FatedPrompt extends PromptOptions {
  readonly prompt: string;
  readonly turnId: string;
  readonly wait?: 'accepted' | 'ended' | 'written';
}

/** The write at which the host dies. */
export interface Death {
  readonly when: 'before' | 'after';
  readonly step: 'intent' | 'submitted' | 'accepted' | 'ended';
  readonly turnId: string;
}

/** A host that was killed, and the one that comes next. */
export interface AfterDeath extends AsyncDisposable {
  readonly sessionId: string;
  readonly next: SessionManager;
  readonly model: ModelServer;
  readonly stateDir: string;
  spec(agent: AgentSpec): SessionSpec;
}

/** Runs a real host until it kills itself, then starts the next one on the same state folder. */
export async function afterDeath({
  agent,
  prompts,
  dieAt,
  model: answers,
  agentFirst = false,
  besides = false,
  written,
}: {
  readonly agent: AgentSpec;
  readonly prompts: readonly FatedPrompt[];
  readonly dieAt: Death;
  readonly model: ModelScript;
  /** Whether the next host starts only when the agent has gone by itself. Default false. */
  readonly agentFirst?: boolean;
  /** Whether the next host lives already when this one dies, on the same state folder. Default false. */
  readonly besides?: boolean;
  /** Whether it starts only when the agent, which lives on, has written this into its transcript. Default: at once. */
  readonly written?: string;
}): Promise<AfterDeath> {
  const model = await startModelServer({ script: answers });
  const state = await temporaryFolder('semo-state-');
  const work = await temporaryFolder('semo-work-');
  const env = {
    HOME: state.path,
    PATH: process.env['PATH'],
    ...agentEnvironment(model),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  const specFor = (one: AgentSpec): SessionSpec => ({
    sessionId: newId('ses'),
    agent: one,
    workspace: { kind: 'path', path: work.path },
  });
  const spec = specFor(agent);
  const next = createPtySessionManager({ stateDir: state.path, hostEnv: env, hostId: 'host' });
  if (besides) await next.list();
  const pid = await runUntilDeath({ stateDir: state.path, spec, prompts, dieAt }, env);
  if (agentFirst) await vi.waitFor(() => assertGone(pid), { timeout: 20_000, interval: 20 });
  if (written !== undefined)
    await vi.waitFor(() => assertWritten(state.path, written), { timeout: 20_000, interval: 20 });
  return {
    sessionId: spec.sessionId,
    next,
    model,
    stateDir: state.path,
    spec: specFor,
    async [Symbol.asyncDispose]() {
      await next.close();
      await model.close();
      await work[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
}

/** Gives the agent's process. */
async function runUntilDeath(plan: object, env: NodeJS.ProcessEnv): Promise<number> {
  const host = spawn(process.execPath, [script, JSON.stringify(plan)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(host, 'close');
  let complaint = '';
  host.stderr.on('data', (chunk: Buffer) => void (complaint += chunk.toString()));
  const lines: string[] = [];
  createInterface({ input: host.stdout }).on('line', (line) => lines.push(line));
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
  if (signal !== 'SIGKILL' || lines[0] === undefined) throw new Error(`The host did not die as planned. ${complaint}`);
  return Number(sessionInfoSchema.parse(JSON.parse(lines[0])).terminalId);
}

function assertGone(pid: number): void {
  let lives = true;
  try {
    process.kill(pid, 0);
  } catch {
    lives = false;
  }
  if (lives) throw new Error(`Process ${pid} lives.`);
}

async function assertWritten(stateDir: string, text: string): Promise<void> {
  const names = (await readdir(stateDir, { recursive: true })).filter((name) => /\/[0-9a-f-]{36}\.jsonl$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(stateDir, name), 'utf8')));
  if (!texts.some((one) => one.includes(text))) throw new Error(`No transcript has ${text}`);
}
