import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  promptTexts,
  startModelServer,
  temporaryFolder,
  type GitRepository,
  type ModelRequest,
  type ModelScript,
  type ModelServer,
} from '@semo-office/testbed';
import { expect, vi } from 'vitest';

import {
  createLocalOffice,
  openLocalOffice,
  type AgentProfile,
  type JobResult,
  type LocalOfficeOptions,
  type Office,
} from '../src/index.ts';

// The store's thread reads it when it starts: names of our packages lead to their sources there too.
const fromSources = new URL('../../../tools/from-sources.ts', import.meta.url).href;
process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} --import=${fromSources}`;

/** Several starts of the CLI one after the other, on a machine that may be busy. */
export const LOAD = { timeout: 90_000 };

/** A member of the crew that works on branches of the stage's repository. */
export function member(agentId: string, more: Partial<AgentProfile> = {}): AgentProfile {
  return {
    agentId,
    agent: { kind: 'claude-stream', permissionMode: 'bypassPermissions' },
    workspace: { kind: 'git', repoId: 'app' },
    persona: { name: `Agent ${agentId}`, role: agentId, prompt: `You are ${agentId} of this crew.` },
    ...more,
  };
}

/** An office with the real CLI, a scripted model and a real repository. */
export interface OfficeStage extends AsyncDisposable {
  readonly office: Office;
  readonly model: ModelServer;
  readonly repository: GitRepository;
  /** Where folders of jobs are, as `agent/{role}/{taskId}`. */
  readonly worktreeRoot: string;
  readonly options: LocalOfficeOptions;
  /** Resolves once the conversation that Claude Code has written down holds a text; it does so a little later. */
  written(text: string): Promise<void>;
  /** Kills the agent of a job that runs; resolves with its session. */
  kill(jobId: string): Promise<string>;
}

/** Sets the stage; `await using` takes everything down again. With `store`, jobs are kept in a file. */
export async function officeStage(
  script: ModelScript,
  { store = false, ...more }: LocalOfficeOptions & { readonly store?: boolean } = {},
): Promise<OfficeStage> {
  const model = await startModelServer({ script });
  const repository = await createGitRepository();
  const state = await temporaryFolder('semo-office-');
  const worktreeRoot = join(state.path, 'worktrees');
  const options: LocalOfficeOptions = {
    agents: [member('FE'), member('BE')],
    repositories: { app: repository.path },
    stateDir: join(state.path, 'state'),
    worktreeRoot,
    hostEnv: { HOME: state.path, ...agentEnvironment(model, { maxRetries: 1 }) },
    claude: { binary: claudeBinary() },
    backoff: { firstMs: 10, longestMs: 20 },
    // What else runs on this machine is no matter of the test.
    memory: false,
    ...more,
  };
  const file = join(state.path, 'office.sqlite');
  const office = store ? await openLocalOffice({ store: file, ...options }) : createLocalOffice(options);
  return {
    office,
    model,
    repository,
    worktreeRoot,
    options,
    async written(text) {
      const folder = join(state.path, 'state', 'conversations');
      await vi.waitFor(async () => {
        const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.jsonl'));
        const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
        expect(texts.join('')).toContain(text);
      }, 10_000);
    },
    async kill(jobId) {
      const sessionId = (await office.getJob(jobId))?.attempts.at(-1)?.sessionId ?? '';
      process.kill(Number((await office.sessions.get(sessionId))?.terminalId), 'SIGKILL');
      return sessionId;
    },
    async [Symbol.asyncDispose]() {
      await office.close();
      await model.close();
      for (const each of [repository, state]) await each[Symbol.asyncDispose]();
    },
  };
}

/** The newest prompt of a request, without what is said beside it. */
export function newestPrompt(request: ModelRequest): string {
  return promptTexts(request).at(-1)?.trim() ?? '';
}

/** Why each attempt at a job was made. */
export const reasons = ({ attempts }: JobResult): string[] => attempts.map(({ reason }) => reason);

/** Resolves with what is next told of the end of a job. */
export function nextEnd(office: Office, jobId: string): Promise<JobResult> {
  return new Promise((resolve) => {
    const stop = office.on('ended', (event) => {
      if (event.jobId !== jobId) return;
      stop();
      resolve(event.result);
    });
  });
}
