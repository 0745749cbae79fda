import { base64ToBytes, bytesToBase64, type WireEvent } from '@semo-office/core';

/** How much is kept for sending, and sent at a time. */
export interface OutboxLimits {
  /** Output beyond so many bytes is left out: the host's own log has it. */
  readonly maxOutputBytes: number;
  /** About how much goes into one batch, in bytes. */
  readonly maxBatchBytes: number;
}

type OutputEvent = Extract<WireEvent, { name: 'output' }>;

/** What was taken out for sending. */
export interface TakenEvents {
  readonly events: readonly WireEvent[];
  readonly droppedBytes: number;
}

/**
 * Events on their way to the office, in order. Pieces of output that follow each other become one. Where there is too much of
 * it, new output is left out, and the mark of that is the offset of the next piece. Later figures take the place of those before
 * (what a session uses, how far a turn has come, what it used); nothing else is ever left out.
 */
export class EventOutbox {
  readonly #limits: OutboxLimits;
  #events: WireEvent[] = [];
  #outputBytes = 0;
  #droppedBytes = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  /** Whether something waits that is worth a batch of its own; output and resources can wait a little. */
  get isUrgent(): boolean {
    return (
      this.#outputBytes >= this.#limits.maxBatchBytes ||
      this.#events.some(({ name }) => name !== 'output' && name !== 'resources')
    );
  }

  add(event: WireEvent): void {
    if (event.name === 'output') return this.#addOutput(event);
    const figures = figuresOf(event);
    if (figures !== null) this.#events = this.#events.filter((one) => figuresOf(one) !== figures);
    this.#events.push(event);
  }

  /** The next events, as many as go into one batch; at least one where there is one. */
  take(): TakenEvents {
    let bytes = 0;
    let count = 0;
    for (const event of this.#events) {
      bytes += sizeOf(event);
      if (count > 0 && bytes > this.#limits.maxBatchBytes) break;
      count += 1;
    }
    const events = this.#events.splice(0, count);
    for (const event of events) if (event.name === 'output') this.#outputBytes -= sizeOf(event);
    const droppedBytes = this.#droppedBytes;
    this.#droppedBytes = 0;
    return { events, droppedBytes };
  }

  #addOutput(event: OutputEvent): void {
    const size = sizeOf(event);
    if (this.#outputBytes + size > this.#limits.maxOutputBytes) {
      this.#droppedBytes += base64ToBytes(event.base64).length;
      return;
    }
    this.#outputBytes += size;
    const last = this.#events.at(-1);
    const joined = last === undefined ? null : joinedOutput(last, event);
    if (joined === null || sizeOf(joined) > this.#limits.maxBatchBytes) {
      this.#events.push(event);
      return;
    }
    this.#outputBytes += sizeOf(joined) - size - sizeOf(last as OutputEvent);
    this.#events[this.#events.length - 1] = joined;
  }
}

/**
 * Whose figures an event tells, where that is all it does: only the latest matter, and there may be any number of them while the
 * database is away. `null`: it tells of something that happened. Pure.
 */
function figuresOf(event: WireEvent): string | null {
  if (event.name === 'resources') return `resources ${event.sessionId}`;
  if (event.name !== 'turn' || (event.change !== 'progress' && event.change !== 'usage')) return null;
  return `${event.change} ${event.sessionId} ${event.turn.turnId}`;
}

/** Two pieces as one, where the second follows the first; else `null`. Pure. */
function joinedOutput(first: WireEvent, second: OutputEvent): OutputEvent | null {
  if (first.name !== 'output' || first.sessionId !== second.sessionId) return null;
  const [before, after] = [base64ToBytes(first.base64), base64ToBytes(second.base64)];
  if (first.offset + before.length !== second.offset) return null;
  return { ...first, base64: bytesToBase64(Buffer.concat([before, after])), at: second.at };
}

/** About how many bytes an event takes on its way. */
function sizeOf(event: WireEvent): number {
  return event.name === 'output' ? event.base64.length : JSON.stringify(event).length;
}
