import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PACKAGE = '@anthropic-ai/claude-agent-sdk';
/** The one that belongs to the Claude Code this repository is developed against. */
export const AGENT_SDK_VERSION = '0.3.329';
/** Ignored by git and by every check. */
const FOLDER = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', `agent-sdk-${AGENT_SDK_VERSION}`);

/** What is used of a message of the agent SDK. */
export interface SdkMessage {
  readonly type: string;
  readonly subtype?: string;
  readonly result?: string;
}

/** What a user of the agent SDK sends in streaming input mode. */
export interface SdkPrompt {
  readonly type: 'user';
  readonly message: { readonly role: 'user'; readonly content: string };
  readonly parent_tool_use_id: null;
}

/** How the agent SDK starts Claude Code. */
export interface SdkStart {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The part of the agent SDK that is measured. Its package is not installed here, so neither are its types. */
export interface AgentSdk {
  query(question: {
    readonly prompt: string | AsyncIterable<SdkPrompt>;
    readonly options: Readonly<Record<string, unknown>>;
  }): AsyncIterable<SdkMessage>;
}

/**
 * Loads the agent SDK, fetched by npm the first time. It brings a Claude Code for every platform as optional packages;
 * those are left out, and it is no dependency of this repository.
 * @throws Error with a sentence, when it cannot be fetched.
 */
export async function loadAgentSdk(): Promise<AgentSdk> {
  const installed = createRequire(join(FOLDER, 'package.json'));
  const entry = resolved(installed) ?? (await fetched(installed));
  return (await import(pathToFileURL(entry).href)) as AgentSdk;
}

async function fetched(installed: NodeJS.Require): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, 'package.json'), JSON.stringify({ private: true }));
  const flags = ['--no-save', '--omit=optional', '--ignore-scripts', '--prefix', FOLDER];
  try {
    await run('npm', ['install', ...flags, `${PACKAGE}@${AGENT_SDK_VERSION}`], { cwd: FOLDER });
  } catch (cause) {
    const sentence = `${PACKAGE} ${AGENT_SDK_VERSION} could not be fetched. This one measurement needs npm and its registry.`;
    throw new Error(sentence, { cause });
  }
  const entry = resolved(installed);
  if (entry === null) throw new Error(`npm fetched ${PACKAGE}, but it is not in ${FOLDER}.`);
  return entry;
}

function resolved(installed: NodeJS.Require): string | null {
  try {
    return installed.resolve(PACKAGE);
  } catch {
    return null;
  }
}
