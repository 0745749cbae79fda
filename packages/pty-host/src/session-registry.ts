import { SemoError, idSchema, keptSpec, type ResolvedSessionSpec, type SessionInfo } from '@semo-office/core';

import type { HostedSession } from './hosted-session.ts';

interface Entry {
  readonly spec: ResolvedSessionSpec;
  readonly opening: Promise<HostedSession>;
  hosted: HostedSession | null;
}

/** The sessions of a host by their ids, also those that have ended, as far as they are remembered. */
export class SessionRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #rememberTerminated: number;

  /** @param rememberTerminated - How many ended sessions can still be asked for. */
  constructor(rememberTerminated: number) {
    this.#rememberTerminated = rememberTerminated;
  }

  /** Opens a session unless there is one with that id and spec. @throws SemoError `session_conflict`. */
  async enter(spec: ResolvedSessionSpec, open: () => Promise<HostedSession>): Promise<SessionInfo> {
    const known = this.#entries.get(spec.sessionId);
    if (known !== undefined) return sameSession(known, spec);
    const entry: Entry = { spec, opening: open(), hosted: null };
    this.#entries.set(spec.sessionId, entry);
    try {
      entry.hosted = await entry.opening;
      void entry.hosted.live.exited.then(() => this.#forgetOldest());
      return entry.hosted.info();
    } catch (thrown) {
      // It never was: the same id may be tried again.
      this.#entries.delete(spec.sessionId);
      throw thrown;
    }
  }

  /** Takes in a session that another host has opened. */
  admit(hosted: HostedSession): void {
    const { spec } = hosted;
    this.#entries.set(spec.sessionId, { spec, opening: Promise.resolve(hosted), hosted });
    void hosted.live.exited.then(() => this.#forgetOldest());
  }

  find(sessionId: string): HostedSession | null {
    return this.#entries.get(sessionId)?.hosted ?? null;
  }

  /** Whether a session of that id is here, or being opened. */
  knows(sessionId: string): boolean {
    return this.#entries.has(sessionId);
  }

  /** @throws SemoError `session_unknown`. */
  refuse(sessionId: string): never {
    const shown = idSchema.safeParse(sessionId).success ? sessionId : JSON.stringify(sessionId);
    throw new SemoError(
      'session_unknown',
      `There is no session ${shown} on this host. Create it, or list those there are.`,
    );
  }

  /** The session once it is open; `null` when it never was. */
  async opened(sessionId: string): Promise<HostedSession | null> {
    const entry = this.#entries.get(sessionId);
    return entry === undefined ? null : entry.opening.catch(() => null);
  }

  infos(): SessionInfo[] {
    return [...this.#entries.values()].flatMap(({ hosted }) => (hosted === null ? [] : [hosted.info()]));
  }

  /** Those that have not ended. */
  get living(): HostedSession[] {
    return [...this.#entries.values()].flatMap(({ hosted }) =>
      hosted === null || hosted.live.status === 'terminated' ? [] : [hosted],
    );
  }

  /** Whether a session is being opened or has not ended. */
  lives(sessionId: string): boolean {
    const entry = this.#entries.get(sessionId);
    return entry !== undefined && entry.hosted?.live.status !== 'terminated';
  }

  /** Ends all sessions, also those that are still being opened. */
  async endAll(): Promise<void> {
    const ends = [...this.#entries.values()].map(async ({ opening }) => (await opening.catch(() => null))?.end());
    await Promise.all(ends);
  }

  #forgetOldest(): void {
    const terminated = [...this.#entries].filter(
      ([, { hosted }]) => hosted !== null && hosted.live.status === 'terminated',
    );
    for (const [sessionId] of terminated.slice(0, Math.max(0, terminated.length - this.#rememberTerminated)))
      this.#entries.delete(sessionId);
  }
}

/** Of a session that another host has opened, the variables are known in another order. */
function isSameSpec(known: ResolvedSessionSpec, wanted: ResolvedSessionSpec): boolean {
  const ordered = (spec: ResolvedSessionSpec) => [
    keptSpec(spec),
    Object.keys(spec.environment.set)
      .toSorted()
      .map((name) => spec.environment.set[name]),
  ];
  return JSON.stringify(ordered(known)) === JSON.stringify(ordered(wanted));
}

async function sameSession(known: Entry, wanted: ResolvedSessionSpec): Promise<SessionInfo> {
  if (!isSameSpec(known.spec, wanted)) {
    throw new SemoError(
      'session_conflict',
      `Session ${wanted.sessionId} exists with another specification. Use a new id.`,
    );
  }
  return (await known.opening).info();
}
