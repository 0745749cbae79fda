import type {
  Clock,
  Decider,
  Evidence,
  HumanAnswer,
  HumanRequest,
  MonitorConfig,
  ResolvedSessionSpec,
  TranscriptFinding,
  TurnUsage,
  Words,
} from '@semo-office/core';

import type { ProcessExit } from '../terminal/terminal.ts';

/** A session's own folders on the host, gone with it. */
export interface PrivateFolders {
  /** Configuration of the agent. */
  readonly config: string;
  /** Temporary files. */
  readonly tmp: string;
}

/** What a driver knows before the agent starts. */
export interface LaunchContext {
  readonly spec: ResolvedSessionSpec;
  /** The agent's working folder, absolute, links resolved. */
  readonly folder: string;
  readonly folders: PrivateFolders;
  /** The environment every agent gets; a driver adds its own. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** What a driver knows of an agent that another host has left. Its `baseEnv` is what the agent was started with. */
export interface TakeUpContext extends LaunchContext {
  /** See {@link Launch.keepsake}; to be parsed, since another version may have written it. */
  readonly keepsake: unknown;
  readonly version: string | null;
  readonly conversationId: string | null;
}

/** How to start an agent, and how to speak with it once it runs. */
export interface Launch {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly over: 'terminal' | 'pipe';
  /** Whether what a person types reaches the agent as it is. Default true; `sendText` and keys are refused otherwise. */
  readonly takesKeys?: boolean | undefined;
  /** On pipes: the agent's standard error is none of its words; it goes to {@link AgentControl.onErrorOutput}. Default false. */
  readonly errorsApart?: boolean | undefined;
  /** Where the agent reads instructions of its user, if that is a folder of the session's own; else `null`. */
  readonly configHome: string | null;
  /** Whether the agent's file tools are kept within the persona's scope. Default false. */
  readonly keepsScope?: boolean | undefined;
  /** Files and folders outside of the session's own that the agent writes to, and that a sandbox has to show. Default none. */
  readonly writes?: readonly string[] | undefined;
  /** Whether it cannot work without a network, as what speaks with a model there. Default false. */
  readonly needsNetwork?: boolean | undefined;
  /** The agent's version, if it tells one. */
  readonly version: string | null;
  /** Whether a later session can go on with the agent's conversation. Default false. */
  readonly keepsConversation?: boolean | undefined;
  /** When what the agent is signed in with expires, epoch milliseconds. Default: not known. */
  readonly credentialExpiresAt?: (() => number | undefined) | undefined;
  /** What is taken out of all that is told of the agent but its output itself. Default nothing. */
  readonly secrets?: (() => readonly string[]) | undefined;
  /** The folder below which the agent writes its conversations as it goes; see {@link AgentDriver.findTurn}. Default: none. */
  readonly transcripts?: string | undefined;
  readonly monitor: { readonly sources: readonly Decider[]; readonly exitMeans: MonitorConfig['exitMeans'] };
  /** What the agent means by how it exited, for example that status 143 is SIGTERM. Default: what the system says. */
  readonly readExit?: ((exit: ProcessExit) => ProcessExit) | undefined;
  /**
   * What {@link AgentDriver.takeUp} needs to know of this start, as JSON: it is kept in the session's private folder. Absent:
   * nobody can take the agent up.
   */
  readonly keepsake?: unknown;
  /** Called once, as the process starts. */
  attach(io: AgentIo): AgentControl;
  /**
   * Looks again at what in the folder binds the agent, when it holds another branch. Default: nothing does.
   * @throws SemoError `invalid_settings`, `workspace_dirty`.
   */
  recheck?(): Promise<void>;
  /** Undoes what {@link AgentDriver.prepare} did; called after the process is gone. */
  dispose(): Promise<void>;
}

/** What a driver tells of its agent; see {@link AgentIo}. */
export type DriverReport =
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  | { readonly kind: 'words'; readonly words: Words };

/** What a running agent offers its driver. */
export interface AgentIo {
  /** The agent's process id as it sees it itself; `null` where that cannot be known (in a container). */
  readonly pid: number | null;
  readonly clock: Clock;
  /** Types; see `Terminal.write`. */
  write(bytes: Uint8Array | string): Promise<void>;
  endInput(): void;
  /** See `Terminal.dropInput`. */
  dropInput(): boolean;
  /** Holds back the agent's output, so that it waits for us; each `pause` is followed by its own `resume`. */
  readonly reading: { pause(): void; resume(): void };
  /** Signals the agent's process group. */
  signal(signal: NodeJS.Signals): void;
  /** The terminal's device; `null` on pipes. */
  readonly device: string | null;
  /** Tells the monitor of the running turn. Without a turn it goes unheard. */
  report(evidence: Evidence): void;
  /**
   * Lets the monitor find milestones, errors and progress in what the agent said or a tool of it printed, as plain text.
   * Never a prompt, nor a file that is written or read. Without a turn it goes unheard.
   */
  tell(words: Words): void;
  /** Asks a person. Resolves with the answer, or `null` when the turn ended without one. */
  ask(request: Pick<HumanRequest, 'kind' | 'tool' | 'input'>, withdrawn: AbortSignal): Promise<HumanAnswer | null>;
  /** Plain text of the newest output, for error messages. */
  lastWords(): string;
  /** The rows of the terminal's screen as a person would see them now. */
  screen(): Promise<readonly string[]>;
  /** Plain text of the output since an offset; what is no longer kept is left out. */
  textSince(offset: number): string;
}

/** One prompt on its way to the agent. */
export interface Submission {
  readonly prompt: string;
  /** Offset of the output when the prompt is sent. */
  readonly outputStart: number;
  readonly endInput: boolean;
  readonly signal: AbortSignal;
}

/** A prompt that another host has sent, or was about to send. */
export interface LeftTurn {
  readonly turnId: string;
  readonly prompt: string;
  /** Offset of the output when the prompt was sent. */
  readonly outputStart: number;
  /** Whether all output since is still kept. */
  readonly outputKept: boolean;
  /** When it was written down as sent, in epoch milliseconds. */
  readonly submittedAt: number;
  /** When the agent was known to have taken it; `null`: it was not. */
  readonly acceptedAt: number | null;
}

/** An agent as another host has left it. */
export interface LeftAgent {
  /** `null`: it was between two turns. */
  readonly turn: LeftTurn | null;
  /** How many prompts it was sent before that. */
  readonly turnsBefore: number;
  /** Whether its last turn was ended by us, so that it may still be at work on it. */
  readonly wasInterrupted: boolean;
  /** Resolves when all output up to now has been seen once more. */
  readonly caughtUp: Promise<void>;
  /** Aborts when the agent is gone or the turn is over. */
  readonly signal: AbortSignal;
}

/** A running agent, as its driver sees it. */
export interface AgentControl {
  /**
   * Resolves when the agent can take a prompt.
   * @throws SemoError `agent_start_failed`, also when `signal` aborts, and `guard_failed`.
   */
  ready(signal: AbortSignal): Promise<void>;
  /**
   * Goes on with an agent that another host has left, in place of {@link ready}. It is called when the output before the turn
   * has been seen, and none of the turn. Resolves with `null` when the turn goes on, or there is none, and otherwise with
   * what is known of a prompt that the agent is not at work on.
   * @throws SemoError that says why the agent cannot be gone on with.
   */
  takeUp?(left: LeftAgent): Promise<TranscriptFinding | null>;
  /** Sees all output, after it has been kept. */
  onOutput(bytes: Uint8Array, offset: number): void;
  /** Sees standard error where that comes apart. It is in the log like all output, where it fell. */
  onErrorOutput?(bytes: Uint8Array, offset: number): void;
  /** The agent's own id of its present conversation, where it tells one. */
  readonly conversationId?: string | null;
  /**
   * Delivers a prompt; resolves when the agent has taken it.
   * @throws SemoError `prompt_not_accepted`, `prompt_too_long`, `delivery_unknown`, `session_terminated`.
   */
  submit(submission: Submission): Promise<void>;
  /** What the agent printed in a turn that told no final message of its own. */
  finalText?(outputStart: number): string;
  /**
   * What the turn used that this agent has just told the end of, where that can be read only now: resolves within seconds, with
   * `null` where it cannot be known. `null` at once: nothing is to come. Absent: the agent tells with its end, or never.
   */
  lateUsage?(): Promise<TurnUsage | null> | null;
  /** Makes the agent stop its turn; resolves when it is at rest and can take the next prompt. */
  interrupt(signal: AbortSignal): Promise<void>;
  /** Makes the agent forget the conversation. Absent: it cannot. */
  reset?(signal: AbortSignal): Promise<void>;
  /** Asks the agent to leave; the stop ladder follows if it does not. */
  leave(): Promise<void>;
  /** The process is gone. */
  onExit(): void;
}

/** Knows one kind of agent. The rest of the host never learns which it is. */
export interface AgentDriver {
  readonly kind: string;
  /**
   * Checks what can be checked without starting anything and prepares the agent's folders.
   * @throws SemoError `agent_not_found`, `agent_version_unsupported`, `not_signed_in`, `invalid_argument`, `invalid_settings`.
   */
  prepare(context: LaunchContext): Promise<Launch>;
  /**
   * Makes ready to go on with an agent that another host has started and left: its `command` is not started. Absent: it
   * cannot be gone on with.
   * @throws SemoError that says why it cannot.
   */
  takeUp?(context: TakeUpContext): Promise<Launch>;
  /**
   * Looks a prompt up in what an agent that is gone has written of its conversation. Absent: it writes none. What cannot be
   * found or read is `unreadable`; it throws nothing.
   */
  findTurn?(search: TurnSearch): Promise<TranscriptFinding>;
}

/** A prompt of an agent that is gone, and where to look for it. */
export interface TurnSearch {
  /** See {@link Launch.transcripts}. */
  readonly transcripts: string;
  readonly conversationId: string;
  /** The prompt's `promptDigest`. */
  readonly digest: string;
  /** When it was about to be sent, in epoch milliseconds: the same words before are of another turn. */
  readonly since: number;
}
