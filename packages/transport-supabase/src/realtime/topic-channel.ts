import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';

/** What a channel says of itself, in supabase-js' words. */
export type ChannelStatus = 'SUBSCRIBED' | 'CHANNEL_ERROR' | 'TIMED_OUT' | 'CLOSED';

type RealtimeClient = SupabaseClient['realtime'];

/** What each of those who share a channel is told. */
export interface TopicListeners {
  readonly onBroadcast: (event: string, payload: unknown) => void;
  readonly onStatus: (status: ChannelStatus) => void;
}

const topics = new WeakMap<RealtimeClient, Map<string, TopicChannel>>();

/** The channel of a client for a topic: the same for all who ask. */
export function topicChannel(realtime: RealtimeClient, topic: string): TopicChannel {
  const ofClient = topics.get(realtime) ?? new Map<string, TopicChannel>();
  topics.set(realtime, ofClient);
  const channel = ofClient.get(topic) ?? new TopicChannel(realtime, topic);
  ofClient.set(topic, channel);
  return channel;
}

/**
 * The one private channel that a client has for a topic, shared by all who listen to that: the client gives the same one to
 * everybody who asks, tells only the first how it stands, and takes it from all when one of them has it removed.
 */
class TopicChannel {
  readonly #realtime: RealtimeClient;
  readonly #topic: string;
  readonly #listeners = new Set<TopicListeners>();
  #channel: RealtimeChannel | null = null;
  #isJoined = false;
  #closing: Promise<void> = Promise.resolve();

  constructor(realtime: RealtimeClient, topic: string) {
    this.#realtime = realtime;
    this.#topic = topic;
  }

  /** Resolves when the channel before is gone: until then the client would give that one. */
  async free(): Promise<void> {
    await this.#closing.catch(() => {});
  }

  join(listeners: TopicListeners): void {
    this.#listeners.add(listeners);
    if (this.#channel === null) this.#open();
    else if (this.#isJoined) listeners.onStatus('SUBSCRIBED');
  }

  /** A channel that works is left to the others; one that does not is taken from all, so that there can be another. */
  async leave(listeners: TopicListeners): Promise<void> {
    const wasHere = this.#listeners.delete(listeners);
    const isOfUse = this.#isJoined && this.#listeners.size > 0;
    if (wasHere && isOfUse) return;
    if (wasHere && this.#channel !== null) this.#takeDown(this.#channel);
    await this.#closing;
  }

  #open(): void {
    const channel = this.#realtime.channel(this.#topic, { config: { private: true } });
    this.#channel = channel;
    channel
      .on('broadcast', { event: '*' }, ({ event, payload }: { event: string; payload?: unknown }) => {
        for (const { onBroadcast } of this.#listeners) onBroadcast(event, payload);
      })
      .subscribe((status: ChannelStatus) => {
        if (this.#channel !== channel) return;
        this.#isJoined = status === 'SUBSCRIBED';
        for (const { onStatus } of this.#listeners) onStatus(status);
      });
  }

  #takeDown(channel: RealtimeChannel): void {
    const others = [...this.#listeners];
    this.#listeners.clear();
    this.#channel = null;
    this.#isJoined = false;
    const close = async (): Promise<void> => {
      await this.#realtime.removeChannel(channel);
      channel.teardown();
    };
    this.#closing = close();
    for (const { onStatus } of others) onStatus('CLOSED');
  }
}
