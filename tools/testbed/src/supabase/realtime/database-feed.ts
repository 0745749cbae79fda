import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import { z } from 'zod';
import type { LocalPostgres } from '../postgres/local-postgres.ts';

const slot = 'supabase_realtime_messages_replication_slot';
const publication = 'supabase_realtime_messages_publication';
const retryAfterMs = 100;

const insertSchema = z.object({
  tag: z.literal('insert'),
  new: z.object({
    id: z.string(),
    topic: z.string(),
    event: z.string(),
    private: z.boolean(),
    payload: z.unknown(),
  }),
});

/** A committed row of `realtime.messages`. */
export type DatabaseMessage = z.infer<typeof insertSchema>['new'];

/** Makes its slot on the connection that reads it: what is sent while nobody reads is lost, as on a hosted project. */
class TemporarySlot extends PgoutputPlugin {
  override async start(client: Client, slotName: string, lastLsn: string): Promise<unknown> {
    // These words are known in capitals only.
    await client.query(`CREATE_REPLICATION_SLOT ${slotName} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`);
    return super.start(client, slotName, lastLsn);
  }
}

/** Reads `realtime.send` and its like from the database by logical replication, and reads on after a restart. */
export class DatabaseFeed implements AsyncDisposable {
  readonly #postgres: LocalPostgres;
  readonly #onMessage: (message: DatabaseMessage) => void;
  readonly #stopping = new AbortController();
  readonly #reading: Promise<void>;
  #service: LogicalReplicationService | undefined;
  #ready = Promise.withResolvers<void>();

  constructor(postgres: LocalPostgres, onMessage: (message: DatabaseMessage) => void) {
    this.#postgres = postgres;
    this.#onMessage = onMessage;
    this.#reading = this.#readOn();
  }

  /** Resolves when what is committed from now on will be read; rejects when the next try to connect fails. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#service?.stop();
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#ready = Promise.withResolvers<void>();
      // Whoever waits hears of a failure; nobody has to.
      this.#ready.promise.catch(() => undefined);
      await this.#read().catch((error: unknown) => this.#ready.reject(error));
      await delay(retryAfterMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Reads until the connection ends. */
  async #read(): Promise<void> {
    const service = new LogicalReplicationService(this.#postgres.connection('supabase_realtime_admin'));
    this.#service = service;
    service.on('start', () => this.#ready.resolve());
    service.on('error', () => undefined);
    // A server that shuts down waits until its readers have said how far they are, and the library says one too much.
    service.on('heartbeat', (lsn, _timestamp, shouldRespond) => {
      if (shouldRespond) void service.acknowledge(positionBefore(lsn));
    });
    service.on('data', (_lsn: string, change: unknown) => {
      const insert = insertSchema.safeParse(change);
      if (insert.success) this.#onMessage(insert.data.new);
    });
    try {
      await service.subscribe(new TemporarySlot({ protoVersion: 1, publicationNames: [publication] }), slot);
    } finally {
      await service.destroy();
    }
  }
}

/** The place in the write-ahead log one byte before this one; both in the form `16/B374D848`. */
function positionBefore(lsn: string): string {
  const [high = 0n, low = 0n] = lsn.split('/').map((half) => BigInt(`0x${half}`));
  const before = (high << 32n) + low - 1n;
  return [before >> 32n, before & 0xffff_ffffn].map((half) => half.toString(16).toUpperCase()).join('/');
}
