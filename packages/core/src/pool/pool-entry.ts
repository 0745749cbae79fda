import { canonicalJson } from '../canonical-json.ts';
import type { SessionInfo } from '../session/session.ts';
import type { Assignment } from '../session/workspace.ts';
import type { PooledSessionInfo, SessionTemplate } from './pool.ts';
import type { PooledState, SessionView } from './pool-view.ts';
import { unfitAt } from './session-handing.ts';

/** One session that takes room in the pool, from before it is created until nothing of it is left. */
export interface PoolEntry {
  readonly sessionId: string;
  readonly key: string;
  readonly role: string;
  readonly origin: 'warm' | 'cold';
  readonly template: SessionTemplate;
  /** Its id is a caller's own: it is nobody else's. */
  readonly isOwn: boolean;
  /** Gives up opening it. */
  readonly abort: AbortController;
  state: PooledState;
  place: string;
  /** Why it is out of service. */
  retired: string | null;
  leftover: boolean;
  /** It ended by itself; told by its host. */
  died: boolean;
  /** Settles when the call that creates it has. */
  created: Promise<void> | null;
  info: SessionInfo | null;
  /** Settles when opening it has been tried. */
  tried: Promise<void> | null;
  /** Settles when nothing of it is left; `null` as long as it is not being ended. */
  ended: Promise<void> | null;
}

/** What a new {@link PoolEntry} is made from. */
export type EntrySeed = Pick<PoolEntry, 'sessionId' | 'key' | 'role' | 'origin' | 'template' | 'isOwn'> & {
  readonly waiterId: number | null;
};

/** A session that is about to be opened. */
export function newEntry({ waiterId, ...seed }: EntrySeed): PoolEntry {
  return {
    ...seed,
    abort: new AbortController(),
    state: { kind: 'opening', waiterId },
    place: placeOf(seed.template),
    retired: null,
    leftover: false,
    died: false,
    created: null,
    info: null,
    tried: null,
    ended: null,
  };
}

// Every plan asks for the places of all who wait, and a template never changes.
const places = new WeakMap<SessionTemplate, string>();

/** The workspace of a template as text: equal texts are the same place. */
export function placeOf(template: SessionTemplate): string {
  const place = places.get(template) ?? canonicalJson(template.workspace);
  places.set(template, place);
  return place;
}

/** The place of a session that was switched: nobody asks for it by that name. */
export function switchedPlace(assignment: Assignment): string {
  return canonicalJson({ assigned: assignment });
}

/** Whether sessions of a template can be given another branch. */
export function isInRepository({ workspace }: SessionTemplate): boolean {
  return 'repoId' in workspace;
}

/** An entry, as the plan sees it. */
export function toView(entry: PoolEntry): SessionView {
  const { sessionId, key, origin, place, state, retired, leftover, info } = entry;
  return {
    sessionId,
    key,
    origin,
    place,
    state,
    leftover,
    retired: retired !== null,
    unfitAt: info === null ? null : unfitAt(info),
  };
}

/** What users are told of an entry. */
export function toInfo({ sessionId, key, role, origin, state, template, retired }: PoolEntry): PooledSessionInfo {
  const told = {
    opening: 'opening',
    readying: 'opening',
    idle: 'idle',
    offered: 'in_use',
    in_use: 'in_use',
    ending: 'ending',
  } as const;
  return { sessionId, key, role, origin, template, retired, state: told[state.kind] };
}
