import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';

/** What a channel says of itself, in supabase-js' words. */
export type ChannelStatus = 'SUBSCRIBED' | 'CHANNEL_ERROR' | 'TIMED_OUT' | 'CLOSED';

/** What a channel tells. */
export interface ChannelListeners {
  readonly onBroadcast: (event: string, payload: unknown) => void;
  readonly onStatus: (status: ChannelStatus) => void;
  /** The socket answered a heartbeat, so it is not half open. */
  readonly onHeartbeat: () => void;
}

/** One connection to Realtime with one private channel on it, for as long as that lasts. Nothing is ever sent over it. */
export interface RealtimeLine {
  /** Authorises, then joins; the first private join may lack the token otherwise. */
  join(topic: string, listeners: ChannelListeners): Promise<void>;
  /** Gives the present token to the server, before the old one is over. */
  authorise(): Promise<void>;
  /** Lets go of the connection and of everything that listens to it. */
  close(): Promise<void>;
}

/** Makes a fresh connection; the one before is closed by then. */
export type OpenRealtimeLine = () => RealtimeLine;

/** What of a supabase-js client a line needs. */
export type RealtimeClientLike = Pick<SupabaseClient, 'realtime'>;

/** Lines over clients that are made for them, since every reconnect of one client adds listeners to it. */
export function freshLines(createClient: () => RealtimeClientLike): OpenRealtimeLine {
  return () => new ClientLine(createClient(), { isOurs: true });
}

/** Lines over a client that somebody else uses as well: only our channel is taken down with a line. */
export function linesOf(client: RealtimeClientLike): OpenRealtimeLine {
  return () => new ClientLine(client, { isOurs: false });
}

class ClientLine implements RealtimeLine {
  readonly #client: RealtimeClientLike;
  readonly #isOurs: boolean;
  #channel: RealtimeChannel | null = null;
  #isClosed = false;

  constructor(client: RealtimeClientLike, { isOurs }: { readonly isOurs: boolean }) {
    this.#client = client;
    this.#isOurs = isOurs;
  }

  async join(topic: string, { onBroadcast, onStatus, onHeartbeat }: ChannelListeners): Promise<void> {
    const { realtime } = this.#client;
    await realtime.setAuth();
    if (this.#isClosed) return;
    // A client has one callback for heartbeats, which is not ours to take from somebody else.
    if (this.#isOurs)
      realtime.onHeartbeat((status) => {
        if (status === 'ok') onHeartbeat();
      });
    this.#channel = realtime
      .channel(topic, { config: { private: true } })
      .on('broadcast', { event: '*' }, ({ event, payload }: { event: string; payload?: unknown }) => {
        if (!this.#isClosed) onBroadcast(event, payload);
      })
      .subscribe((status) => {
        if (!this.#isClosed) onStatus(status);
      });
  }

  authorise(): Promise<void> {
    return this.#client.realtime.setAuth();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const { realtime } = this.#client;
    if (this.#channel !== null) await realtime.removeChannel(this.#channel);
    this.#channel?.teardown();
    if (this.#isOurs) await realtime.disconnect();
  }
}
