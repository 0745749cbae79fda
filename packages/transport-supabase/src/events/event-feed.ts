import { SemoError, parseEdge, wireEventSchema, type Clock, type WireEvent } from '@semo-office/core';

import { pollWaitMs, type PollPace } from '../waking/poll-pace.ts';
import { WakeLoop } from '../waking/wake-loop.ts';
import type { BatchRow, EventMark, EventRepository } from './event-repository.ts';

/** What {@link EventFeed} needs. */
export interface FeedParts {
  readonly clock: Clock;
  readonly events: Pick<EventRepository, 'heads' | 'read' | 'known'>;
  /** Whether events are announced at the moment. */
  readonly isLive: () => boolean;
  readonly pace: PollPace;
  readonly onEvent: (event: WireEvent) => void;
  /** Events of that host are gone that nobody has read. */
  readonly onGap: (hostId: string) => void;
  readonly onProblem: (problem: SemoError) => void;
  readonly onFailure: (error: SemoError, failures: number) => void;
  readonly onRecovery: () => void;
}

/** So many hosts may be kept in mind, whether or not they are forgotten. */
const FEW = 100;
/** More than that are looked through so often, since they are forgotten by time. */
const LOOK_THROUGH_MS = 600_000;

/** What hosts tell, read in order and each once, from the moment on at which the feed was begun. */
export class EventFeed {
  readonly #parts: FeedParts;
  readonly #loop: WakeLoop;
  #marks: Map<string, EventMark> | null = null;
  /** With so many marks, or from that moment on, it is time to see which of them are still of use. */
  #crowd = FEW;
  #lookThroughAt = 0;
  #beginning: Promise<Map<string, EventMark>> | null = null;

  constructor(parts: FeedParts) {
    this.#parts = parts;
    const { clock, isLive, pace, onFailure, onRecovery } = parts;
    this.#loop = new WakeLoop({
      clock,
      look: () => this.#look(),
      waitMs: (idleLooks) => pollWaitMs(pace, { live: isLive(), idleLooks }),
      onFailure,
      onRecovery,
    });
  }

  /** Resolves once it is known where to begin: what is asked for after that is not missed. @throws SemoError `host_lost`. */
  async begin(): Promise<void> {
    await this.#begun();
  }

  wake(): void {
    this.#loop.wake();
  }

  /** There is more to read, or there may be. */
  announced(): void {
    this.#loop.announced();
  }

  repace(): void {
    this.#loop.repace();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<boolean> {
    const marks = await this.#begun();
    const rows = await this.#parts.events.read(marks);
    for (const row of rows) this.#tell(row, marks);
    if (rows.some(({ more }) => more)) this.#loop.wake();
    await this.#forgetGone(marks);
    return rows.length > 0;
  }

  /** Where to begin is asked once, by whoever comes first, and again only where that failed. */
  async #begun(): Promise<Map<string, EventMark>> {
    if (this.#marks !== null) return this.#marks;
    this.#beginning ??= this.#parts.events.heads().finally(() => {
      this.#beginning = null;
    });
    const marks = await this.#beginning;
    this.#marks ??= marks;
    return this.#marks;
  }

  /**
   * Every look names all marks, and hosts may come and go under names of their own. Of one that the database has forgotten nothing
   * is left to be read again, and what it tells when it comes back it tells under a higher epoch.
   */
  async #forgetGone(marks: Map<string, EventMark>): Promise<void> {
    const now = this.#parts.clock.now();
    if (marks.size < FEW || (marks.size < this.#crowd && now < this.#lookThroughAt)) return;
    const known = await this.#parts.events.known([...marks.keys()]);
    for (const hostId of marks.keys()) if (!known.has(hostId)) marks.delete(hostId);
    this.#crowd = Math.max(FEW, 2 * marks.size);
    this.#lookThroughAt = now + LOOK_THROUGH_MS;
  }

  #tell(row: BatchRow, marks: Map<string, EventMark>): void {
    const mark = marks.get(row.host_id);
    const order = batchOrder(mark, row);
    if (order === 'old') return;
    marks.set(row.host_id, { epoch: row.epoch, seq: row.seq });
    if (order === 'gap') this.#parts.onGap(row.host_id);
    for (const event of row.events) this.#emit(event);
  }

  #emit(arrived: unknown): void {
    try {
      this.#parts.onEvent(parseEdge(wireEventSchema, arrived, { what: 'event of a host', code: 'invalid_message' }));
    } catch (thrown) {
      this.#parts.onProblem(SemoError.from(thrown));
    }
  }
}

/** How a batch follows what was read before: as the next one, after others that are missing, or not at all. Pure. */
export function batchOrder(mark: EventMark | undefined, { epoch, seq }: EventMark): 'next' | 'gap' | 'old' {
  if (mark === undefined || epoch > mark.epoch) return seq === 1 ? 'next' : 'gap';
  if (epoch < mark.epoch || seq <= mark.seq) return 'old';
  return seq === mark.seq + 1 ? 'next' : 'gap';
}
