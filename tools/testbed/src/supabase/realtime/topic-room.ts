import type { BroadcastTamperer } from '../faults/broadcast-tampering.ts';
import type { UserBroadcast } from './frame.ts';

/** What is heard on a topic: a user's bytes as they came, a broadcast as JSON, or who came and went. */
export type TopicEvent =
  | ({ readonly kind: 'user' } & UserBroadcast)
  | { readonly kind: 'json'; readonly event: 'broadcast' | 'presence_diff'; readonly payload: unknown };

/** One channel's ear. */
export interface Listener {
  hear(event: TopicEvent): void;
}

/** Who is there: a key, and what each channel under it says of itself. */
export type PresenceState = Record<string, { readonly metas: readonly PresenceMeta[] }>;
export type PresenceMeta = { readonly phx_ref: string } & Record<string, unknown>;

interface Presence {
  readonly key: string;
  readonly meta: PresenceMeta;
}

/** The channels that joined one topic. */
class TopicRoom {
  readonly listeners = new Set<Listener>();
  readonly presences = new Map<Listener, Presence>();
}

/** Public and private channels of the same name do not hear each other. */
export interface RoomName {
  readonly topic: string;
  readonly isPrivate: boolean;
}

/** Every topic somebody has joined. */
export class TopicRooms {
  readonly #rooms = new Map<string, TopicRoom>();
  readonly #tamperer: BroadcastTamperer;
  #lastPresenceRef = 0;

  constructor(tamperer: BroadcastTamperer) {
    this.#tamperer = tamperer;
  }

  join(name: RoomName, listener: Listener): void {
    const key = keyOf(name);
    const room = this.#rooms.get(key) ?? new TopicRoom();
    this.#rooms.set(key, room);
    room.listeners.add(listener);
  }

  leave(name: RoomName, listener: Listener): void {
    const room = this.#rooms.get(keyOf(name));
    if (room === undefined) return;
    this.untrack(name, listener);
    room.listeners.delete(listener);
    if (room.listeners.size === 0) this.#rooms.delete(keyOf(name));
  }

  /** Broadcasts to everyone in the room, but not to `except`. */
  broadcast(name: RoomName, event: TopicEvent, except?: Listener): void {
    const room = this.#rooms.get(keyOf(name));
    for (const listener of room?.listeners ?? []) {
      if (listener === except) continue;
      for (const delayMs of this.#tamperer.delays()) {
        if (delayMs === 0) listener.hear(event);
        else setTimeout(() => room?.listeners.has(listener) === true && listener.hear(event), delayMs).unref();
      }
    }
  }

  /** Says who a listener is, or says it anew. */
  track(name: RoomName, listener: Listener, said: { readonly key: string; readonly payload: object }): void {
    const room = this.#rooms.get(keyOf(name));
    if (room === undefined) return;
    const before = room.presences.get(listener);
    this.#lastPresenceRef += 1;
    const meta: PresenceMeta = {
      ...said.payload,
      phx_ref: `F${this.#lastPresenceRef.toString(36)}`,
      ...(before === undefined ? {} : { phx_ref_prev: before.meta.phx_ref }),
    };
    const now = { key: said.key, meta };
    room.presences.set(listener, now);
    this.#tellDiff(room, { joins: [now], leaves: before === undefined ? [] : [before] });
  }

  untrack(name: RoomName, listener: Listener): void {
    const room = this.#rooms.get(keyOf(name));
    const presence = room?.presences.get(listener);
    if (room === undefined || presence === undefined) return;
    room.presences.delete(listener);
    this.#tellDiff(room, { joins: [], leaves: [presence] });
  }

  presenceState(name: RoomName): PresenceState {
    return stateOf([...(this.#rooms.get(keyOf(name))?.presences.values() ?? [])]);
  }

  #tellDiff(room: TopicRoom, { joins, leaves }: Record<'joins' | 'leaves', readonly Presence[]>): void {
    const payload = { joins: stateOf(joins), leaves: stateOf(leaves) };
    for (const listener of room.listeners) listener.hear({ kind: 'json', event: 'presence_diff', payload });
  }
}

function keyOf({ topic, isPrivate }: RoomName): string {
  return `${isPrivate ? 'private' : 'public'}:${topic}`;
}

function stateOf(presences: readonly Presence[]): PresenceState {
  const groups = Map.groupBy(presences, ({ key }) => key);
  return Object.fromEntries([...groups].map(([key, group]) => [key, { metas: group.map(({ meta }) => meta) }]));
}
