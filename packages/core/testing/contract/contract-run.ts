import { expect } from 'vitest';

import { isSemoError, type ErrorCode, type SemoError } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import type { SessionInfo, SessionSpec } from '../../src/session/session.ts';
import type { SessionManager } from '../../src/session/session-manager.ts';
import type { PromptOptions, TurnInfo } from '../../src/session/turn.ts';
import { EventLog } from './event-log.ts';
import type { ContractPrompts, OpenedSessions, SessionManagerHarness } from './harness.ts';

/** A session of one test, with all that it told. */
export interface StartedSession {
  readonly id: string;
  readonly spec: SessionSpec;
  readonly info: SessionInfo;
  readonly log: EventLog;
  readonly prompt: (prompt: string, options?: PromptOptions) => Promise<TurnInfo>;
  /** Sends a prompt and waits for the end of its turn. */
  readonly run: (prompt: string, options?: PromptOptions) => Promise<TurnInfo>;
}

/** The manager under test and the sessions that the present test has started. */
export class ContractRun {
  readonly prompts: ContractPrompts;
  readonly #harness: SessionManagerHarness;
  #opened: OpenedSessions | null = null;
  #started: StartedSession[] = [];

  constructor(harness: SessionManagerHarness) {
    this.#harness = harness;
    this.prompts = harness.prompts;
  }

  get sessions(): SessionManager {
    return this.#require().sessions;
  }

  specFor(sessionId: string): SessionSpec {
    return this.#require().specFor(sessionId);
  }

  async open(): Promise<void> {
    this.#opened = await this.#harness.open();
  }

  async close(): Promise<void> {
    await this.#opened?.close();
  }

  async start(overrides: Partial<SessionSpec> = {}): Promise<StartedSession> {
    const id = newId('ses');
    const spec = { ...this.specFor(id), ...overrides };
    const { sessions } = this;
    const log = new EventLog(sessions, id);
    const info = await sessions.create(spec);
    await this.#require().whenListening?.(id);
    const prompt: StartedSession['prompt'] = (text, options) => sessions.sendPrompt(id, text, options);
    const run: StartedSession['run'] = async (text, options) => {
      const { turnId } = await prompt(text, options);
      return sessions.waitForTurn(id, turnId);
    };
    const started = { id, spec, info, log, prompt, run };
    this.#started.push(started);
    return started;
  }

  /** After each test: nothing that it started stays. */
  async cleanUp(): Promise<void> {
    const started = this.#started.splice(0);
    await Promise.all(started.map(({ id }) => this.sessions.terminate(id, { graceMs: 500 })));
    for (const { log } of started) log.stop();
  }

  #require(): OpenedSessions {
    if (this.#opened === null) throw new Error('The harness has not been opened.');
    return this.#opened;
  }
}

/** Asserts that a call fails with that code, and gives the error. */
export async function expectError(call: Promise<unknown>, code: ErrorCode): Promise<SemoError> {
  const outcome = await call.then(
    (value: unknown) => ({ value }),
    (thrown: unknown) => ({ thrown }),
  );
  if (!('thrown' in outcome)) return expect.fail(`expected ${code}, but the call resolved`);
  const { thrown } = outcome;
  if (!isSemoError(thrown)) return expect.fail(`expected ${code}, but got ${String(thrown)}`);
  expect({ code: thrown.code, message: thrown.message }).toEqual({ code, message: thrown.message });
  return thrown;
}

/** How a turn ended; fails when it has not. */
export function outcomeOf(turn: TurnInfo): string {
  return turn.state.kind === 'ended' ? turn.state.outcome : expect.fail(`the turn is ${turn.state.kind}, not ended`);
}
