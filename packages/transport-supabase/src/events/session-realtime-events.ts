import { SemoError, type Cancel, type Clock, type SessionInfo, type WireEvent } from '@semo-office/core';

import type { Fence } from '../command/command-repository.ts';
import { RETRY_PACE, backoffMs } from '../waking/poll-pace.ts';
import { orAborted } from '../waking/or-aborted.ts';
import { sleep } from '../waking/sleep.ts';
import { BatchAllowance, type BatchRate } from './batch-allowance.ts';
import { EventOutbox, type OutboxLimits } from './event-outbox.ts';
import type { EventRepository } from './event-repository.ts';
import { isRefusedForContent, singly, type UnnumberedBatch } from './refused-batch.ts';

/** When events are sent, in milliseconds after the first of a batch. */
export interface FlushTimes {
  /** What somebody waits for. */
  readonly eventMs: number;
  /** Output and resources alone. */
  readonly outputMs: number;
}

/** What {@link SessionRealtimeEvents} needs. */
export interface EventsParts extends OutboxLimits {
  readonly clock: Clock;
  readonly events: Pick<EventRepository, 'publish'>;
  readonly registration: { readonly fence: Fence; registerAgain(fence: Fence, refusal: SemoError): Promise<void> };
  /** What is known of a session now; `null`: nothing. */
  readonly infoOf: (sessionId: string) => Promise<SessionInfo | null>;
  readonly times: FlushTimes;
  readonly rate: BatchRate;
  readonly onProblem: (problem: SemoError) => void;
}

/**
 * What happens on a host, on its way back to the office: batched, numbered, written under the fence, and announced by the
 * database. One batch at a time, again and again until it is taken, so that nothing overtakes and nothing but output is lost.
 */
export class SessionRealtimeEvents {
  readonly #parts: EventsParts;
  readonly #outbox: EventOutbox;
  readonly #allowance: BatchAllowance;
  /** Nothing waits for its turn any more. */
  readonly #hurried = new AbortController();
  readonly #stopped = new AbortController();
  #seq = 0;
  #epoch: number;
  #flushing: Promise<void> | null = null;
  #due: { readonly urgent: boolean; readonly cancel: Cancel } | null = null;

  constructor(parts: EventsParts) {
    this.#parts = parts;
    this.#outbox = new EventOutbox(parts);
    this.#allowance = new BatchAllowance(parts.clock, parts.rate);
    this.#epoch = parts.registration.fence.epoch;
  }

  publish(event: WireEvent): void {
    if (this.#stopped.signal.aborted) return;
    this.#outbox.add(event);
    this.#flushLater();
  }

  /** Sends what there is; resolves when it is sent, or too late for that. What has not been sent then is lost. */
  async stop(late: AbortSignal): Promise<void> {
    this.#cancelDue();
    this.#hurried.abort();
    this.#flushing ??= this.#flush();
    await orAborted(this.#flushing, late);
    this.#stopped.abort();
  }

  #flushLater(): void {
    if (this.#flushing !== null) return;
    const urgent = this.#outbox.isUrgent;
    if (this.#due !== null && (this.#due.urgent || !urgent)) return;
    this.#cancelDue();
    const { clock, times } = this.#parts;
    const cancel = clock.schedule(urgent ? times.eventMs : times.outputMs, () => {
      this.#due = null;
      this.#flushing ??= this.#flush();
    });
    this.#due = { urgent, cancel };
  }

  #cancelDue(): void {
    this.#due?.cancel();
    this.#due = null;
  }

  async #flush(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#outbox.isEmpty && !this.#stopped.signal.aborted) {
      // First the wait: what comes meanwhile goes along.
      const waitMs = this.#allowance.take();
      if (waitMs > 0) await sleep({ clock, ms: waitMs, signal: this.#hurried.signal });
      const { events, droppedBytes } = this.#outbox.take();
      const infos = await this.#infosOf(events);
      await this.#send({ events, droppedBytes, infos });
    }
    this.#flushing = null;
  }

  /** Sends a batch; what of it the database does not take for what is in it is left out, so that it holds up nothing else. */
  async #send(batch: UnnumberedBatch): Promise<void> {
    if (await this.#trySend(batch)) return;
    for (const one of singly(batch)) await this.#trySend(one);
  }

  /**
   * Sends a batch until it is taken; `false`: it was refused for what is in it. Numbers begin anew with each epoch: a batch is
   * numbered when it is sent, so that none is left out.
   */
  async #trySend(batch: UnnumberedBatch): Promise<boolean> {
    const { clock, events, registration, onProblem } = this.#parts;
    const { signal } = this.#stopped;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const { fence } = registration;
      if (fence.epoch !== this.#epoch) {
        this.#epoch = fence.epoch;
        this.#seq = 0;
      }
      try {
        await events.publish(fence, { ...batch, seq: this.#seq + 1 });
        this.#seq += 1;
        return true;
      } catch (thrown) {
        const error = SemoError.from(thrown);
        onProblem(error);
        if (isRefusedForContent(error)) return false;
        if (error.code === 'lease_lost') await registration.registerAgain(fence, error).catch(() => {});
        const ms = backoffMs(RETRY_PACE, { failures, chance: Math.random() });
        await sleep({ clock, ms, signal });
      }
    }
    return true;
  }

  async #infosOf(events: readonly WireEvent[]): Promise<SessionInfo[]> {
    const changed = new Set(events.flatMap((event) => (event.name === 'status' ? [event.sessionId] : [])));
    const infos = await Promise.all([...changed].map((sessionId) => this.#parts.infoOf(sessionId)));
    return infos.filter((info) => info !== null);
  }
}
