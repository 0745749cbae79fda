import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentEnvironment, claudeBinary, temporaryFolder, testbedApiKey, type ModelServer } from '@semo-office/testbed';

import type { AgentSdk, SdkMessage, SdkPrompt, SdkStart } from './agent-sdk.ts';
import type { ProgramStart } from './start-difference.ts';
import { PROMPT, type TurnSide } from './turn-side.ts';

/** What {@link sdkTurns} needs. */
export interface SdkTurnsOptions {
  readonly sdk: AgentSdk;
  readonly model: ModelServer;
  readonly folder: string;
  /** Hears how the SDK starts Claude Code. Default: nobody. */
  readonly onStart?: (start: ProgramStart) => void;
}

/**
 * Turns through the agent SDK. Each process gets a fresh configuration home as a session of ours does; it is prepared
 * before the clock starts, since the SDK itself knows of no such thing.
 */
export function sdkTurns(options: SdkTurnsOptions): TurnSide {
  return {
    async coldTurn() {
      await using home = await preparedHome(options);
      const startedAt = performance.now();
      await using turns = home.query(PROMPT);
      await turns.result();
      return performance.now() - startedAt;
    },
    async open() {
      const home = await preparedHome(options);
      const prompts = new PromptQueue();
      const turns = home.query(prompts);
      const turn = async () => {
        prompts.push(PROMPT);
        await turns.result();
      };
      await turn();
      return {
        async turn() {
          const startedAt = performance.now();
          await turn();
          return performance.now() - startedAt;
        },
        async [Symbol.asyncDispose]() {
          prompts.end();
          await turns[Symbol.asyncDispose]();
          await home[Symbol.asyncDispose]();
        },
      };
    },
  };
}

interface SdkTurns extends AsyncDisposable {
  /** Resolves when the next result has come. */
  result(): Promise<void>;
}

interface PreparedHome extends AsyncDisposable {
  query(prompt: string | AsyncIterable<SdkPrompt>): SdkTurns;
}

async function preparedHome({ sdk, model, folder, onStart }: SdkTurnsOptions): Promise<PreparedHome> {
  const home = await temporaryFolder('semo-bench-home-');
  const state = {
    hasCompletedOnboarding: true,
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: { approved: [testbedApiKey.slice(-20)], rejected: [] },
    projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
  };
  await writeFile(join(home.path, '.claude.json'), JSON.stringify(state));
  const env = sessionEnvironment(agentEnvironment(model, { configDir: home.path }));
  return {
    query(prompt) {
      const processes: ChildProcess[] = [];
      const spawnClaudeCodeProcess = ({ command, args, env: all }: SdkStart) => {
        onStart?.({ args, variables: Object.keys(all).filter((name) => all[name] !== undefined) });
        const child = spawn(command, args, { cwd: folder, env: { ...all }, stdio: ['pipe', 'pipe', 'ignore'] });
        processes.push(child);
        return child;
      };
      const messages = sdk.query({ prompt, options: { ...sameAsOurs(folder), env, spawnClaudeCodeProcess } });
      return followed(messages[Symbol.asyncIterator](), processes);
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

/** What a session of ours hands on and sets. */
function sessionEnvironment(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const handedOn = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') && name !== 'IS_SANDBOX');
  return {
    ...(Object.fromEntries(handedOn) as Record<string, string>),
    TERM: 'dumb',
    no_proxy: env['NO_PROXY'] ?? '',
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
  };
}

/** What a session of ours has by default, said in the SDK's words. */
function sameAsOurs(cwd: string): Readonly<Record<string, unknown>> {
  return {
    cwd,
    pathToClaudeCodeExecutable: claudeBinary(),
    permissionMode: 'default',
    includePartialMessages: true,
    settingSources: ['user', 'project', 'local'],
    systemPrompt: { type: 'preset', preset: 'claude_code' },
    canUseTool: () => Promise.resolve({ behavior: 'deny', message: 'Nothing is to be used.' }),
  };
}

function followed(messages: AsyncIterator<SdkMessage>, processes: readonly ChildProcess[]): SdkTurns {
  return {
    async result() {
      for (;;) {
        const next: IteratorResult<SdkMessage, unknown> = await messages.next();
        if (next.done === true) throw new Error('The agent SDK ended without a result.');
        const { type, subtype, result } = next.value;
        if (type !== 'result') continue;
        if (subtype !== 'success' || result !== 'Done.')
          throw new Error(`The agent SDK's turn is ${subtype}: ${result}`);
        return;
      }
    },
    async [Symbol.asyncDispose]() {
      await messages.return?.();
      for (const child of processes) {
        // Else the next turn would share the machine with the end of this one.
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
    },
  };
}

/** Prompts for streaming input mode, one when it is time. */
class PromptQueue implements AsyncIterable<SdkPrompt> {
  #next = Promise.withResolvers<string | null>();

  push(text: string): void {
    this.#next.resolve(text);
  }

  end(): void {
    this.#next.resolve(null);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SdkPrompt> {
    for (;;) {
      const content = await this.#next.promise;
      if (content === null) return;
      this.#next = Promise.withResolvers();
      yield { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null };
    }
  }
}
