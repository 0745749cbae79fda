/** How slowly a text is sent. A chunk never splits a character, so it may exceed `bytesPerChunk` by a few bytes. */
export interface Pace {
  /** UTF-8 bytes in one text delta. */
  readonly bytesPerChunk: number;
  /** Wait between two deltas, in milliseconds. */
  readonly delayMs: number;
}

/** Why the model says it stopped; `tool_use` is set by the `tools` step itself. */
export type StopReason = 'end_turn' | 'max_tokens' | 'refusal' | 'stop_sequence' | 'pause_turn';

/** One tool call of the model. */
export interface ToolUse {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** The model says something and stops. */
export interface TextStep {
  readonly kind: 'text';
  readonly text: string;
  /** Sent before the text as a thinking block. */
  readonly thinking?: string;
  /** Default: the whole text in one delta. */
  readonly pace?: Pace;
  /** Default: `end_turn`. */
  readonly stopReason?: StopReason;
}

/** The model calls one or more tools and waits for their results. */
export interface ToolsStep {
  readonly kind: 'tools';
  readonly uses: readonly ToolUse[];
  /** Said before the first tool call. */
  readonly text?: string;
  readonly thinking?: string;
  /** Pace of the leading text. */
  readonly pace?: Pace;
}

/** The model says many numbered lines. They are made while they are sent, so a million of them cost no memory. */
export interface LongStep {
  readonly kind: 'long';
  readonly lines: number;
  /** Text after each line's number. Default: `the quick brown fox jumps over the lazy dog`. */
  readonly line?: string;
  /** Wait between two deltas of 50 lines, in milliseconds. Default: 0. */
  readonly delayMs?: number;
}

/** The API refuses the request. */
export interface ErrorStep {
  readonly kind: 'error';
  readonly status: number;
  /** Anthropic's error type, such as `overloaded_error`. */
  readonly errorType: string;
  readonly message: string;
  /** For example `{ 'retry-after': '1' }`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a cut answer ends: before any byte, after `message_start`, or in the middle of a text block. */
export type CutPoint = 'connection' | 'start' | 'text';

/** The connection breaks while the model answers. */
export interface CutStep {
  readonly kind: 'cut';
  readonly at: CutPoint;
  /** The text that arrives before a cut `at: 'text'`. Default: `Let me`. */
  readonly text?: string;
}

/** The model keeps the request open until the client gives up or the server's `release` is called. */
export interface HangStep {
  readonly kind: 'hang';
  /** Sent at once; without it not even the headers are sent before the release. */
  readonly text?: string;
  /** What is said after the release. Default: `Released.` */
  readonly thenText?: string;
}

/** One answer of the scripted model. Plain data, so that a script may live in a JSON file. */
export type ModelStep = TextStep | ToolsStep | LongStep | ErrorStep | CutStep | HangStep;
