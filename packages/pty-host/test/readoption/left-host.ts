import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { newId, sessionInfoSchema, type SessionInfo, type SessionManager, type SessionSpec } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { onTestFinished } from 'vitest';

import { createPtySessionManager, type PtySessionManagerOptions, type SweepReport } from '../../src/index.ts';
import { processOf } from '../terminal/tmux/tmux-stage.ts';

const script = fileURLToPath(new URL('../fixtures/tmux-host.mjs', import.meta.url));

/** A prompt for a host that is killed. `wait`: for what, before the next one; default: that it was taken. */
export interface LeftPrompt {
  readonly prompt: string;
  readonly turnId: string;
  readonly wait?: 'ended' | 'nothing';
}

/** What a killed host has left, and the means to go on with it. */
export interface LeftStage {
  readonly sessionId: string;
  readonly stateDir: string;
  readonly spec: SessionSpec;
  /** As the host that is dead has told it. */
  readonly info: SessionInfo;
  /** Its working folder. */
  readonly folder: string;
  /** The process in its terminal. */
  readonly pid: number;
  /** Starts a next host; closed with the test. */
  next(options?: PtySessionManagerOptions): { readonly sessions: SessionManager; readonly reports: SweepReport[] };
}

/** Runs a real host with terminals in tmux until its prompts have been sent, then kills it. */
export async function leftByHost({
  agent,
  prompts = [],
  env = process.env,
  more = {},
  repositories = {},
}: {
  readonly agent: SessionSpec['agent'];
  readonly prompts?: readonly LeftPrompt[];
  readonly env?: NodeJS.ProcessEnv;
  readonly more?: Partial<SessionSpec>;
  readonly repositories?: Readonly<Record<string, string>>;
}): Promise<LeftStage> {
  const state = await temporaryFolder('semo-left-');
  const work = await temporaryFolder('semo-work-');
  onTestFinished(async () => {
    await state[Symbol.asyncDispose]();
    await work[Symbol.asyncDispose]();
  });
  const spec: SessionSpec = {
    sessionId: newId('ses'),
    agent,
    workspace: { kind: 'path', path: work.path },
    ...more,
  };
  const info = await untilKilled({ stateDir: state.path, spec, prompts, repositories }, env);
  return {
    sessionId: spec.sessionId,
    stateDir: state.path,
    spec,
    info,
    folder: work.path,
    pid: processOf(info),
    next(options = {}) {
      const reports: SweepReport[] = [];
      const sessions = createPtySessionManager({
        stateDir: state.path,
        terminal: 'tmux',
        hostEnv: env,
        onSweep: (report) => void reports.push(report),
        ...options,
      });
      onTestFinished(() => sessions.close());
      return { sessions, reports };
    },
  };
}

async function untilKilled(
  plan: { readonly prompts: readonly LeftPrompt[] } & Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): Promise<SessionInfo> {
  const host = spawn(process.execPath, [script, JSON.stringify(plan)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void host.kill('SIGKILL'));
  const ended = once(host, 'close');
  const lines: unknown[] = [];
  for await (const line of createInterface({ input: host.stdout })) {
    lines.push(JSON.parse(line));
    if (lines.length > plan.prompts.length) break;
  }
  host.kill('SIGKILL');
  await ended;
  return sessionInfoSchema.parse(lines[0]);
}
