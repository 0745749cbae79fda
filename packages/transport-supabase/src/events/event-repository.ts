import type { SessionInfo, WireEvent } from '@semo-office/core';
import { z } from 'zod';

import type { Fence } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowsOf } from '../database/rows.ts';
import { storable } from '../database/storable.ts';

/** How far somebody has read what one host tells. */
export interface EventMark {
  readonly epoch: number;
  readonly seq: number;
}

/** Events that are told together. */
export interface EventBatch {
  readonly seq: number;
  readonly events: readonly WireEvent[];
  /** What is known of the sessions whose status has changed. */
  readonly infos: readonly SessionInfo[];
  /** How many bytes of output were left out before these. */
  readonly droppedBytes: number;
}

const headRowSchema = z.object({ host_id: z.string(), epoch: z.number().int(), seq: z.number().int() });
const batchRowSchema = headRowSchema.extend({
  events: z.array(z.unknown()),
  dropped_bytes: z.number().int(),
  /** There is more than the answer holds that this came with. */
  more: z.boolean(),
});

const hostRowSchema = z.object({ host_id: z.string() });
/** So many names of hosts are asked about at a time: an address can be only so long. */
const NAMES = 50;

/** See {@link batchRowSchema}. */
export type BatchRow = z.output<typeof batchRowSchema>;

/** What hosts tell, in the database. */
export class EventRepository {
  readonly #door: DatabaseDoor;
  readonly #officeId: string;

  constructor(door: DatabaseDoor, officeId: string) {
    this.#door = door;
    this.#officeId = officeId;
  }

  /**
   * Tells a batch; the same one again is told once. What the database cannot keep has marks in its place.
   * @throws SemoError `lease_lost`.
   */
  async publish({ hostId, epoch }: Fence, { seq, events, infos, droppedBytes }: EventBatch): Promise<void> {
    await this.#door.call('semo_publish_events', {
      p_office_id: this.#officeId,
      p_host_id: hostId,
      p_epoch: epoch,
      p_seq: seq,
      p_events: storable(events),
      p_infos: storable(infos),
      p_dropped_bytes: droppedBytes,
    });
  }

  /** How far each host has told by now. */
  async heads(): Promise<Map<string, EventMark>> {
    const rows = await this.#door.call('semo_event_heads', { p_office_id: this.#officeId });
    return new Map(
      rowsOf(headRowSchema, rows, 'event heads').map(({ host_id: id, epoch, seq }) => [id, { epoch, seq }]),
    );
  }

  /** What came after those marks, in the order of each host, as much as an answer is to hold. */
  async read(marks: ReadonlyMap<string, EventMark>): Promise<BatchRow[]> {
    const after = Object.fromEntries([...marks].map(([hostId, { epoch, seq }]) => [hostId, [epoch, seq]]));
    const rows = await this.#door.call('semo_read_events', { p_office_id: this.#officeId, p_after: after });
    return rowsOf(batchRowSchema, rows, 'events');
  }

  /** Which of these hosts are not forgotten. Of one that is, nothing that it has told is kept. */
  async known(hostIds: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    for (let from = 0; from < hostIds.length; from += NAMES) {
      const rows = await this.#door.select({
        table: 'session_hosts',
        columns: 'host_id',
        where: { office_id: this.#officeId },
        among: { column: 'host_id', values: hostIds.slice(from, from + NAMES) },
        orderBy: ['host_id'],
      });
      for (const { host_id: hostId } of rowsOf(hostRowSchema, rows, 'hosts')) known.add(hostId);
    }
    return known;
  }
}
