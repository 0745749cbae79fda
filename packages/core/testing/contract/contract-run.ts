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

/** The manager under test and the sessions of the present test: its own, and those that tests share. */
export class ContractRun {
  readonly prompts: ContractPrompts;
  readonly #harness: SessionManagerHarness;
  #opened: OpenedSessions | null = null;
  #own: StartedSession[] = [];
  #borrowed: StartedSession[] = [];
  #idle: StartedSession[] = [];

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

  /** A new session, with all that it tells from its first moment. */
  async start(overrides: Partial<SessionSpec> = {}): Promise<StartedSession> {
    const started = await this.#create(overrides);
    this.#own.push(started);
    return started;
  }

  /**
   * A session at rest that an earlier test may have used, since agents are slow to start; its log begins here. A test
   * may do with it what it likes, also end it. Only for tests to which what was printed and said before is nothing.
   */
  async borrow(): Promise<StartedSession> {
    const idle = this.#idle.shift();
    const lent = idle === undefined ? await this.#create({}) : this.#handle(idle, new EventLog(this.sessions, idle.id));
    this.#borrowed.push(lent);
    return lent;
  }

  /** After each test: nothing that it started stays but what it borrowed and left usable. */
  async cleanUp({ failed }: { readonly failed: boolean }): Promise<void> {
    const borrowed = this.#borrowed.splice(0);
    const usable = await Promise.all(borrowed.map(async (lent) => !failed && (await this.#putToRest(lent))));
    this.#idle.push(...borrowed.filter((_, index) => usable[index]));
    const over = [...this.#own.splice(0), ...borrowed.filter((_, index) => !usable[index])];
    await Promise.all(over.map(({ id }) => this.sessions.terminate(id, { graceMs: 0 })));
    for (const { log } of [...over, ...borrowed]) log.stop();
  }

  async #create(overrides: Partial<SessionSpec>): Promise<StartedSession> {
    const id = newId('ses');
    const spec = { ...this.specFor(id), ...overrides };
    const log = new EventLog(this.sessions, id);
    const info = await this.sessions.create(spec);
    await this.#require().whenListening?.(id);
    return this.#handle({ id, spec, info }, log);
  }

  #handle({ id, spec, info }: Pick<StartedSession, 'id' | 'spec' | 'info'>, log: EventLog): StartedSession {
    const { sessions } = this;
    const prompt: StartedSession['prompt'] = (text, options) => sessions.sendPrompt(id, text, options);
    const run: StartedSession['run'] = async (text, options) => {
      const { turnId } = await prompt(text, options);
      return sessions.waitForTurn(id, turnId);
    };
    return { id, spec, info, log, prompt, run };
  }

  /** Ends what runs in it. `true` when it can take the next prompt, and has told everything about those before. */
  async #putToRest({ id, log }: StartedSession): Promise<boolean> {
    const running = (await this.sessions.get(id))?.turnId ?? null;
    if (running !== null) {
      await this.sessions.cancel(id);
      await this.sessions.waitForTurn(id, running);
    }
    if ((await this.sessions.get(id))?.exit !== null) return false;
    await log.until(isAtRest);
    return (await this.sessions.get(id))?.status === 'ready';
  }

  #require(): OpenedSessions {
    if (this.#opened === null) throw new Error('The harness has not been opened.');
    return this.#opened;
  }
}

function isAtRest(log: EventLog): boolean {
  const { status } = log.of('status').at(-1) ?? { status: 'ready' };
  const turns = new Set(log.of('turn').map(({ turn }) => turn.turnId));
  const isSettled = log.of('request').length === log.of('request_settled').length;
  const isIdle = status === 'ready' || status === 'terminated';
  return isSettled && isIdle && [...turns].every((turnId) => log.isWhollyTold(turnId));
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
