import type { SupabaseClient } from '@supabase/supabase-js';

import { topicChannel, type ChannelStatus, type TopicListeners } from './topic-channel.ts';

/** What a line tells. */
export interface ChannelListeners extends TopicListeners {
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

/** Lines over a client that somebody else uses as well: only our channel is taken down with a line, with the last one on it. */
export function linesOf(client: RealtimeClientLike): OpenRealtimeLine {
  return () => new ClientLine(client, { isOurs: false });
}

class ClientLine implements RealtimeLine {
  readonly #client: RealtimeClientLike;
  readonly #isOurs: boolean;
  #leave: () => Promise<void> = () => Promise.resolve();
  #isClosed = false;

  constructor(client: RealtimeClientLike, { isOurs }: { readonly isOurs: boolean }) {
    this.#client = client;
    this.#isOurs = isOurs;
  }

  async join(topic: string, { onBroadcast, onStatus, onHeartbeat }: ChannelListeners): Promise<void> {
    const { realtime } = this.#client;
    await realtime.setAuth();
    const channel = topicChannel(realtime, topic);
    await channel.free();
    if (this.#isClosed) return;
    // A client has one callback for heartbeats, which is not ours to take from somebody else.
    if (this.#isOurs)
      realtime.onHeartbeat((status) => {
        if (status === 'ok') onHeartbeat();
      });
    const listeners = {
      onBroadcast: (event: string, payload: unknown) => {
        if (!this.#isClosed) onBroadcast(event, payload);
      },
      onStatus: (status: ChannelStatus) => {
        if (!this.#isClosed) onStatus(status);
      },
    };
    this.#leave = () => channel.leave(listeners);
    channel.join(listeners);
  }

  authorise(): Promise<void> {
    return this.#client.realtime.setAuth();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#leave();
    if (this.#isOurs) await this.#client.realtime.disconnect();
  }
}
