import type { SessionSpec } from '../../src/session/session.ts';
import type { SessionManager } from '../../src/session/session-manager.ts';
import type { Workspace } from '../../src/session/workspace.ts';

/** A session manager that is ready to be tested. */
export interface OpenedSessions {
  readonly sessions: SessionManager;
  /** A spec with which `create` succeeds. Called with many ids; calling it again with one must give an equal spec. */
  specFor(sessionId: string): SessionSpec;
  /**
   * Resolves when the agent of a new session can be interrupted. Only for agents that take prompts before they can: a
   * program's input is kept for it while it starts, a signal is not.
   */
  whenListening?(sessionId: string): Promise<void>;
  /** Called once, after the last test. Also closes `sessions`. */
  close(): Promise<void>;
}

/** What the agents under test do with which prompt. `null` says that these agents cannot: those tests are left out. */
export interface ContractPrompts {
  /** Ends as `completed` within a second or so. */
  readonly quick: string;
  /** What the text of the quick turn holds. */
  readonly quickAnswer: string | RegExp;
  /** Never ends by itself, and can be cancelled. */
  readonly endless: string;
  /** The agent dies of it. */
  readonly crash: string | null;
  /** The agent asks leave to use a tool, and ends as `completed` once it is allowed. */
  readonly ask: string | null;
  /** The agent prints that many lines, of five bytes or more each. */
  readonly printLines: ((count: number) => string) | null;
}

/** How an adapter takes part in {@link describeSessionManagerContract}. */
export interface SessionManagerHarness {
  readonly prompts: ContractPrompts;
  /** Whether these agents can forget their conversation; if not, `reset` must say `not_supported`. */
  readonly canReset: boolean;
  /** Whether these agents can be typed to; if not, `sendText` and `sendKeystrokes` must say `not_supported`. Default true. */
  readonly canType?: boolean;
  /** A slot these sessions can be started in, of a repository with a commit. Absent: there is none, and those tests are left out. */
  readonly slot?: Extract<Workspace, { kind: 'slot' }>;
  /** Within what time these agents take a prompt, also on a loaded machine. Default 1500 ms. */
  readonly acceptsWithinMs?: number;
  /** Called once, before the first test. */
  open(): Promise<OpenedSessions>;
}
