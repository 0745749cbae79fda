import { SemoError, type Cancel, type Clock } from '@semo-office/core';

import { backoffMs } from '../waking/poll-pace.ts';
import {
  nextTickMs,
  planChannel,
  type ChannelEvent,
  type ChannelLimits,
  type ChannelState,
  type RenewalReason,
} from './channel-plan.ts';
import type { OpenRealtimeLine, RealtimeLine } from './realtime-line.ts';

/** What {@link OfficeChannel} needs. */
export interface OfficeChannelParts {
  readonly clock: Clock;
  readonly openLine: OpenRealtimeLine;
  readonly topic: string;
  readonly limits: ChannelLimits;
  /** Waits between lines, in milliseconds. */
  readonly backoff: { readonly firstMs: number; readonly longestMs: number };
  /** How long after joining to look once more, in milliseconds: a channel may join before all that is sent reaches it. */
  readonly settleMs: number;
  readonly onBroadcast: (event: string, payload: unknown) => void;
  /** Broadcasts may have been missed: look. */
  readonly onCatchUp: () => void;
  /** Whether broadcasts come has changed. */
  readonly onLive: (isLive: boolean) => void;
  readonly onProblem: (problem: SemoError) => void;
}

type Standing =
  | { readonly kind: 'on'; readonly line: RealtimeLine; readonly state: ChannelState }
  | { readonly kind: 'resting'; readonly cancel: Cancel }
  | { readonly kind: 'off' };

/** One private channel that is always to be there: kept by its own client while that works, made anew where it does not. */
export class OfficeChannel {
  readonly #parts: OfficeChannelParts;
  #standing: Standing = { kind: 'off' };
  #failures = 0;
  #cancelTick: Cancel = () => {};
  #cancelSettle: Cancel = () => {};
  #closing: Promise<void> = Promise.resolve();
  #isLive = false;

  constructor(parts: OfficeChannelParts) {
    this.#parts = parts;
  }

  /** Whether broadcasts come at present, as far as anybody knows. */
  get isLive(): boolean {
    return this.#isLive;
  }

  open(): void {
    const { clock, openLine, topic, onBroadcast } = this.#parts;
    const line = openLine();
    this.#standing = { kind: 'on', line, state: { kind: 'joining', since: clock.now() } };
    const hear = (event: ChannelEvent): void => this.#hear(line, event);
    this.#tickLater();
    line
      .join(topic, {
        onBroadcast,
        onStatus: (status) => hear({ kind: 'status', status }),
        onHeartbeat: () => hear({ kind: 'heartbeat' }),
      })
      .catch((thrown: unknown) => this.#refused(line, thrown));
  }

  /** Gives the server a token that was refreshed. */
  async authorise(): Promise<void> {
    if (this.#standing.kind !== 'on') return;
    await this.#standing.line.authorise().catch((thrown: unknown) => this.#parts.onProblem(SemoError.from(thrown)));
  }

  async close(): Promise<void> {
    const standing = this.#standing;
    this.#standing = { kind: 'off' };
    this.#setLive(false);
    this.#cancelTick();
    this.#cancelSettle();
    if (standing.kind === 'resting') standing.cancel();
    if (standing.kind === 'on') this.#let(standing.line);
    await this.#closing;
  }

  #hear(line: RealtimeLine, event: ChannelEvent): void {
    const standing = this.#standing;
    if (standing.kind !== 'on' || standing.line !== line) return;
    const { clock, limits } = this.#parts;
    const { state, step } = planChannel(standing.state, event, { now: clock.now(), limits });
    this.#standing = { ...standing, state };
    this.#setLive(state.kind === 'joined');
    this.#tickLater();
    if (step.kind === 'renew') this.#renew(line, step.why);
    if (step.kind === 'catch_up') this.#joined();
  }

  #joined(): void {
    const { clock, settleMs, onCatchUp } = this.#parts;
    this.#failures = 0;
    onCatchUp();
    this.#cancelSettle();
    this.#cancelSettle = clock.schedule(settleMs, onCatchUp);
  }

  #refused(line: RealtimeLine, thrown: unknown): void {
    if (this.#standing.kind !== 'on' || this.#standing.line !== line) return;
    this.#parts.onProblem(SemoError.from(thrown));
    this.#renew(line, 'closed');
  }

  #renew(line: RealtimeLine, why: RenewalReason): void {
    const { clock, backoff, onProblem, topic } = this.#parts;
    this.#cancelTick();
    this.#cancelSettle();
    this.#setLive(false);
    if (why !== 'worn') onProblem(new SemoError('host_lost', `Realtime: ${SENTENCES[why]} (${topic})`));
    this.#let(line);
    const waitMs = why === 'worn' ? 0 : backoffMs(backoff, { failures: this.#failures, chance: Math.random() });
    this.#failures += 1;
    const cancel = clock.schedule(waitMs, () => void this.#openNext());
    this.#standing = { kind: 'resting', cancel };
  }

  /** Two lines at once would join twice, so the last one is let go of first. */
  async #openNext(): Promise<void> {
    await this.#closing;
    if (this.#standing.kind === 'resting') this.open();
  }

  #let(line: RealtimeLine): void {
    const before = this.#closing;
    const close = async (): Promise<void> => {
      await before;
      await line.close().catch(() => {});
    };
    this.#closing = close();
  }

  #tickLater(): void {
    this.#cancelTick();
    const standing = this.#standing;
    if (standing.kind !== 'on') return;
    const { clock, limits } = this.#parts;
    const waitMs = nextTickMs(standing.state, { now: clock.now(), limits });
    this.#cancelTick = clock.schedule(waitMs, () => this.#hear(standing.line, { kind: 'tick' }));
  }

  #setLive(isLive: boolean): void {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.#parts.onLive(isLive);
  }
}

const SENTENCES: Readonly<Record<Exclude<RenewalReason, 'worn'>, string>> = {
  closed: 'the server closed the channel. Another one is made; until then we poll.',
  stuck: 'the channel cannot be joined. Is the token for this office? We poll, and go on trying.',
  silent: 'the connection answers no heartbeats. Another one is made; until then we poll.',
};
