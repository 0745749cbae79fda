import type { HumanAnswer, PermissionMode, PromptOptions, SessionManager } from '@semo-office/core';
import { useTool, type ModelScript, type ModelServer, type ModelStep } from '@semo-office/testbed';

import { completes, type Truth } from './truth.ts';

/** Where a turn takes place. */
export interface Scene {
  /** The agent's working folder. */
  readonly folder: string;
}

/** A session that can take a prompt. */
export interface OpenSession extends Scene {
  readonly sessions: SessionManager;
  readonly sessionId: string;
  readonly model: ModelServer;
}

/** A turn that runs: for what is done to it from outside. */
export interface RunningTurn extends OpenSession {
  readonly turnId: string;
}

/** A kind of turn: what the model does, what else happens, and how it really ends. */
export interface Kind {
  readonly name: string;
  readonly family: string;
  readonly prompt: string;
  readonly script: (scene: Scene) => ModelScript;
  readonly truth: Truth;
  readonly options: PromptOptions;
  readonly permissionMode: PermissionMode;
  /** How often the CLI repeats a request that failed. */
  readonly maxRetries: number;
  /** What a person says to its requests, in order. */
  readonly answers: readonly HumanAnswer[];
  /** What happens in the session before the turn. */
  readonly before?: ((session: OpenSession) => Promise<void>) | undefined;
  /** What happens to it meanwhile; begins when the prompt was accepted. */
  readonly meanwhile?: ((turn: RunningTurn) => Promise<void>) | undefined;
}

type KindParts = Pick<Kind, 'name' | 'script' | 'truth'> & Partial<Omit<Kind, 'family'>>;

/** Kinds that belong together. */
export function family(name: string, kinds: readonly KindParts[]): readonly Kind[] {
  return kinds.map((kind) => ({
    prompt: 'Do the work.',
    options: {},
    answers: [],
    permissionMode: 'bypassPermissions',
    maxRetries: 2,
    ...kind,
    family: name,
  }));
}

/** The plain case: the model walks through `steps`, and its last words end the turn. */
export function plainKind(
  name: string,
  steps: readonly ModelStep[],
  {
    milestones = [],
    ...more
  }: Partial<Omit<Kind, 'family' | 'name' | 'truth'>> & Partial<Pick<Truth, 'milestones'>> = {},
): KindParts {
  return { name, script: () => steps, truth: completes(lastWords(steps), steps.length, { milestones }), ...more };
}

/** What the model says in its last step. */
export function lastWords(steps: readonly ModelStep[]): string {
  const last = steps.at(-1);
  if (last?.kind !== 'text') throw new Error('The last step of a plain turn says something.');
  return last.text;
}

/** The agent runs a command. */
export function bash(
  command: string,
  { text, ...input }: { text?: string; run_in_background?: boolean } = {},
): ModelStep {
  const step = { command, description: 'Do it', ...input };
  return useTool('Bash', step, text === undefined ? {} : { text });
}
