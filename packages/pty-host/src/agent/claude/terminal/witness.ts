import { assertNever, turnError, type Cancel, type Clock, type Evidence } from '@semo-office/core';

import { readTranscriptEnd, transcriptLength, type TranscriptEnd } from '../conversation/transcript.ts';

const LOOK_EVERY_MS = 500;
/** Looks in a row that must find the agent at rest, 5 s of them. A hook that is not lost comes within milliseconds. */
const REST_LOOKS = 10;
const INTERRUPTED = 'The agent was interrupted, and not by us.';

/** Where an agent was seen at rest. */
export type RestSource = 'status_file' | 'title';

/** What a {@link ClaudeWitness} looks with. */
export interface ClaudeWitnessOptions {
  readonly clock: Clock;
  /** Where the agent is seen at rest now; `null` while it is at work or waits. */
  readonly restSource: () => Promise<RestSource | null>;
  /** Whether the agent has shown that it is at work since it took the prompt. */
  readonly hasShownBusy: () => boolean;
  /** How the turn stands by the agent's transcript. Default: it is read. */
  readonly readEnd?: typeof readTranscriptEnd | undefined;
  /** Hears that the turn is over, at most once for each {@link ClaudeWitness.begin}. */
  readonly onRest: (rest: Extract<Evidence, { kind: 'at_rest' }>) => void;
}

interface Watch {
  readonly transcript: string | null;
  readonly from: Promise<number>;
  restLooks: number;
}

/**
 * Watches a turn from outside, so that it does not last for ever when the hook that tells its end is lost: when our host
 * could not be reached for a moment, or a person interrupted the agent, which no hook tells.
 */
export class ClaudeWitness {
  readonly #options: ClaudeWitnessOptions;
  #watch: Watch | null = null;
  #asking = 0;
  #cancel: Cancel = () => undefined;

  constructor(options: ClaudeWitnessOptions) {
    this.#options = options;
  }

  /**
   * The agent has taken a prompt. `transcript` is where it keeps the conversation, if it says so; `from`, where the turn begins
   * in it. Default: at its present end.
   */
  begin(
    transcript: string | null,
    from = transcript === null ? Promise.resolve(0) : transcriptLength(transcript),
  ): void {
    this.end();
    const watch = { transcript, from, restLooks: 0 };
    this.#watch = watch;
    this.#lookLater(watch);
  }

  /** The turn is over, or what looks like rest may be a pause. */
  end(): void {
    this.#watch = null;
    this.#cancel();
  }

  /** A person is asked meanwhile: an agent that waits for that looks as if it rested. */
  async whileAsking<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    this.#asking += 1;
    try {
      return await ask();
    } finally {
      this.#asking -= 1;
      if (this.#watch !== null) this.#watch.restLooks = 0;
    }
  }

  #lookLater(watch: Watch): void {
    this.#cancel = this.#options.clock.schedule(LOOK_EVERY_MS, () => void this.#look(watch));
  }

  async #look(watch: Watch): Promise<void> {
    const source = this.#asking > 0 ? null : await this.#options.restSource();
    watch.restLooks = source === null ? 0 : watch.restLooks + 1;
    const rest = source !== null && watch.restLooks >= REST_LOOKS ? await this.#judge(watch, source) : null;
    if (this.#watch !== watch) return;
    if (rest === null || this.#asking > 0) return this.#lookLater(watch);
    this.end();
    this.#options.onRest(rest);
  }

  async #judge(
    { transcript, from }: Watch,
    source: RestSource,
  ): Promise<Extract<Evidence, { kind: 'at_rest' }> | null> {
    const { clock, hasShownBusy, readEnd = readTranscriptEnd } = this.#options;
    const end = transcript === null ? null : await readEnd(transcript, await from);
    return restEvidence({ source, end, hasShownBusy: hasShownBusy(), at: clock.now() });
  }
}

/** What rest says of a turn; `null` if nothing yet. Pure. */
export function restEvidence({
  source,
  end,
  hasShownBusy,
  at,
}: {
  readonly source: RestSource;
  readonly end: TranscriptEnd | null;
  readonly hasShownBusy: boolean;
  readonly at: number;
}): Extract<Evidence, { kind: 'at_rest' }> | null {
  const rest = { kind: 'at_rest', at, source } as const;
  // The title of an agent that shows a dialog is the one of an agent at rest; a status says which it is.
  const isSure = source === 'status_file' && hasShownBusy;
  if (end === null) return isSure ? { ...rest, text: '' } : null;
  switch (end.kind) {
    case 'said':
      return { ...rest, text: end.text };
    case 'failed':
      return { ...rest, text: end.text, error: end.error };
    case 'interrupted':
      return { ...rest, text: '', error: turnError('agent_failed', INTERRUPTED) };
    case 'unanswered':
      // Before the first word an interrupt is not written down.
      if (!isSure) return null;
      return { ...rest, text: '', error: turnError('agent_failed', INTERRUPTED) };
    case 'open':
      return null;
    default:
      return assertNever(end);
  }
}
