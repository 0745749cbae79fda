import type { HumanAnswer, HumanRequest, OpenRequest } from './human-request.ts';
import type { Key } from './keys.ts';
import type { OutputRange, OutputSlice, TerminalSize } from './output.ts';
import type { SettledState } from './request-record.ts';
import type { SessionInfo, SessionSpec, SessionStatus } from './session.ts';
import type { PromptOptions, TurnInfo } from './turn.ts';
import type { Assignment } from './workspace.ts';

/** Stops a subscription; doing so twice is harmless. */
export type Unsubscribe = () => void;

/** Options of any call that may take a while. */
export interface CallOptions {
  /** Gives up waiting. What was asked for may still happen: ask again with the same id to find out. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What changed about a turn. `usage` comes after `ended`, once, of a turn that has ended with `usageFollows`: it says what the
 * turn used, or nothing where that cannot be known.
 */
export type TurnChange = 'started' | 'milestone' | 'progress' | 'stalled' | 'waiting' | 'resumed' | 'ended' | 'usage';

/** What a {@link SessionManager} tells while it happens. Times are epoch milliseconds of the host. */
export interface SessionEvents {
  status: { readonly sessionId: string; readonly status: SessionStatus; readonly at: number };
  /** Output as it comes, never cut within a UTF-8 character. May be lossy on its way; `getOutput` answers by offset. */
  output: { readonly sessionId: string; readonly offset: number; readonly bytes: Uint8Array; readonly at: number };
  turn: {
    readonly sessionId: string;
    readonly change: TurnChange;
    readonly turn: TurnInfo;
    /** With `stalled`: how long nothing happened. */
    readonly forMs?: number | undefined;
    readonly at: number;
  };
  /** A person is needed. Told after the request is kept. */
  request: { readonly request: HumanRequest; readonly at: number };
  /** A request waits no more: answered, withdrawn or expired. Told once, after that is kept. */
  request_settled: { readonly request: HumanRequest; readonly state: SettledState; readonly at: number };
  /** What all processes of a session use together. Told at intervals where the host was set to; may be lossy on its way. */
  resources: {
    readonly sessionId: string;
    /** Main memory, in bytes, shared pages counted by the part that falls on the session. */
    readonly pssBytes: number;
    /** Processor time of those that live, in milliseconds: less than before once one of them has ended. */
    readonly cpuMs: number;
    readonly processes: number;
    readonly at: number;
  };
  /** Its host takes no more work and will close: who keeps the session for later should keep another one instead. */
  retiring: { readonly sessionId: string; readonly at: number };
  exit: {
    readonly sessionId: string;
    readonly code: number | null;
    readonly signal: string | null;
    readonly at: number;
  };
}

/** The name of an event of {@link SessionEvents}. */
export type SessionEventName = keyof SessionEvents;

/**
 * Sessions, wherever they run. One that runs agents here, one that speaks to hosts elsewhere: a caller never knows which
 * it holds, and both pass one contract suite (`@semo-office/core/testing`).
 *
 * Every method that names a session throws SemoError `session_unknown` if there never was one, and, where it needs a
 * living agent, `session_terminated`.
 */
export interface SessionManager {
  /**
   * Starts an agent and resolves when it can take a prompt. Creating again with the same id and spec gives the same session.
   * @throws SemoError `invalid_argument`, `session_conflict` (same id, other spec), `unknown_agent`, `agent_not_found`,
   * `agent_version_unsupported`, `agent_start_failed`, `not_signed_in`, `workspace_*`, `invalid_persona`, `unsafe_path`,
   * `invalid_settings` (a settings file would be ignored), `guard_failed` (the scope would not be kept),
   * `containment_unavailable` (this host cannot give the level asked for, or does not allow it).
   */
  create(spec: SessionSpec, call?: CallOptions): Promise<SessionInfo>;
  get(sessionId: string): Promise<SessionInfo | null>;
  list(filter?: { readonly status?: readonly SessionStatus[] }): Promise<SessionInfo[]>;
  /**
   * Sends a prompt; resolves when the agent has accepted it. One turn at a time: a prompt sent meanwhile waits its turn.
   * @throws SemoError `invalid_prompt`, `prompt_too_long`, `prompt_not_accepted`, `delivery_unknown`.
   */
  sendPrompt(sessionId: string, prompt: string, options?: PromptOptions, call?: CallOptions): Promise<TurnInfo>;
  getTurn(sessionId: string, turnId: string): Promise<TurnInfo | null>;
  /**
   * Resolves when the turn has ended, however it ended. Giving up waiting never cancels the turn.
   * @throws SemoError `turn_unknown`, `wait_timed_out`, `aborted`, `host_lost`.
   */
  waitForTurn(
    sessionId: string,
    turnId: string,
    wait?: { readonly timeoutMs?: number } & CallOptions,
  ): Promise<TurnInfo>;
  /** Types text into the terminal, as it is, without submitting it. @throws SemoError `not_supported`: it takes none. */
  sendText(sessionId: string, text: string): Promise<void>;
  sendKeystrokes(sessionId: string, keys: readonly Key[]): Promise<void>;
  resize(sessionId: string, size: TerminalSize): Promise<void>;
  /**
   * Reads output by byte offset; also after the session has terminated.
   * @throws SemoError `output_dropped` (details: `{ requested, start, end }`), `output_beyond_end`.
   */
  getOutput(sessionId: string, range?: OutputRange): Promise<OutputSlice>;
  /** What waits for a person, also what a host that died has left; `session` says whom an answer can reach. */
  listRequests(filter?: { readonly sessionId?: string }): Promise<OpenRequest[]>;
  /**
   * Answers a request, once. `by` is kept beside the answer; default `person`.
   * @throws SemoError `request_unknown`: never asked, already answered, withdrawn or expired.
   */
  answerRequest(requestId: string, answer: HumanAnswer, said?: { readonly by?: string }): Promise<void>;
  /** Ends the running turn as `cancelled` and keeps the session. Without a running turn nothing happens. */
  cancel(sessionId: string): Promise<void>;
  /** Forgets the conversation: the next prompt starts a new one. @throws SemoError `not_supported`, `session_busy`. */
  reset(sessionId: string): Promise<void>;
  /**
   * Gives the slot of a session its job: switches it, between turns, to the job's branch and names its folder by it.
   * The same assignment again changes nothing; another one later asks that the work of the one before is committed.
   * @throws SemoError `not_supported` (no slot), `session_busy`, `workspace_dirty` (work would be lost; `details` name
   * `path`, `reason` and `kind`: `changes`, `commits`, `unknown`, `unfinished`, `in_the_way` or `settings`),
   * `invalid_argument`, `invalid_settings` (of the branch), `git_failed`.
   */
  assign(sessionId: string, assignment: Assignment): Promise<SessionInfo>;
  /** Ends the agent and everything it started. Twice is once. `graceMs` (default 5 000) is the time between asking and killing. */
  terminate(sessionId: string, options?: { readonly graceMs?: number }): Promise<void>;
  on<Name extends SessionEventName>(event: Name, listener: (event: SessionEvents[Name]) => void): Unsubscribe;
  /** Lets go of what this object holds. A manager that runs agents here terminates them; one that speaks to a host does not. */
  close(): Promise<void>;
}
