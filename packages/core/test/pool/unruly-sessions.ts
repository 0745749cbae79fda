import { EventHub, SemoError, type SessionEvents, type SessionInfo, type SessionManager } from '../../src/index.ts';
import type { FakeClock } from '../../testing/fake-clock.ts';
import type { Random } from './random.ts';

interface Unruly {
  readonly sessionId: string;
  readonly spec: Parameters<SessionManager['create']>[0];
  /** `gone`: nothing is left of it. `dead`: its agent is, its folder is not. */
  state: 'creating' | 'alive' | 'dead' | 'gone';
  branch: string | null;
  failedEnds: number;
  readonly credentialExpiresAt: number | undefined;
}

interface Pending {
  readonly settle: () => void;
}

/**
 * Sessions whose host does what it likes: every call is answered when {@link UnrulySessions.settleOne} is asked to, in any
 * order, and may fail, hang until it is cancelled, or leave something behind. Sessions die by themselves.
 */
export class UnrulySessions {
  /** From now on everything goes well. */
  isObedient = false;
  /** Told of every call that touches a session. */
  onTouch: (sessionId: string, what: 'terminate' | 'reset' | 'assign') => void = () => undefined;
  readonly #random: Random;
  readonly #clock: FakeClock;
  readonly #hub = new EventHub<SessionEvents>();
  readonly #sessions = new Map<string, Unruly>();
  readonly #pending: Pending[] = [];

  constructor(random: Random, clock: FakeClock) {
    this.#random = random;
    this.#clock = clock;
  }

  /** Sessions that take room on the host: from before they are there until nothing is left. */
  get present(): number {
    return this.#count((state) => state !== 'gone');
  }

  get pending(): number {
    return this.#pending.length;
  }

  get listeners(): number {
    return this.#hub.listenerCount();
  }

  branchOf(sessionId: string): string | null {
    return this.#sessions.get(sessionId)?.branch ?? null;
  }

  settleOne(): void {
    const [one] = this.#pending.splice(this.#random.below(this.#pending.length), 1);
    one?.settle();
  }

  killOne(): void {
    const living = [...this.#sessions.values()].filter(({ state }) => state === 'alive');
    const one = living[this.#random.below(living.length)];
    if (one === undefined) return;
    one.state = 'dead';
    this.#tellExit(one);
  }

  asManager(): SessionManager {
    const known = {
      create: (...call: Parameters<SessionManager['create']>) => this.#create(...call),
      get: (sessionId: string) => this.#later('get', () => this.#info(sessionId)),
      reset: (sessionId: string) => {
        this.onTouch(sessionId, 'reset');
        return this.#later('reset', () => undefined);
      },
      assign: (sessionId: string, { branch }: { readonly branch: string }) => this.#assign(sessionId, branch),
      terminate: (sessionId: string) => this.#terminate(sessionId),
      on: <Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void) =>
        this.#hub.on(name, listener),
    };
    return known as unknown as SessionManager;
  }

  #create(...[spec, call]: Parameters<SessionManager['create']>): Promise<SessionInfo> {
    const before = this.#sessions.get(spec.sessionId);
    if (before !== undefined && before.state !== 'gone') throw new Error(`Session ${spec.sessionId} is there already.`);
    const session: Unruly = {
      sessionId: spec.sessionId,
      spec,
      state: 'creating',
      branch: null,
      failedEnds: 0,
      credentialExpiresAt: this.#mayFail(10) ? this.#clock.now() + this.#random.below(1_800_000) : undefined,
    };
    this.#sessions.set(spec.sessionId, session);
    const signal = call?.signal;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        if (session.state !== 'creating') return;
        session.state = 'gone';
        reject(new SemoError('aborted', 'Given up.'));
      };
      const hangs = this.#mayFail(3);
      if (hangs || this.#random.isOneIn(2)) signal?.addEventListener('abort', giveUp);
      const settle = (): void => {
        if (session.state !== 'creating') return reject(new SemoError('aborted', 'It was ended.'));
        if (!this.#mayFail(15)) {
          session.state = 'alive';
          const info = this.#info(spec.sessionId)!;
          return resolve(info);
        }
        // What failed on the way here may be there all the same.
        session.state = this.#random.isOneIn(3) ? 'alive' : 'gone';
        reject(this.#random.isOneIn(3) ? error('invalid_persona') : error('host_lost'));
      };
      if (!hangs) this.#pending.push({ settle });
    });
  }

  #assign(sessionId: string, branch: string): Promise<SessionInfo> {
    this.onTouch(sessionId, 'assign');
    const fails = this.#mayFail(25);
    return this.#later('assign', () => {
      const session = this.#sessions.get(sessionId)!;
      if (fails) throw this.#random.isOneIn(2) ? dirty() : error(this.#random.isOneIn(2) ? 'git_failed' : 'host_lost');
      if (session.state !== 'alive') throw error('session_terminated');
      session.branch = branch;
      return this.#info(sessionId)!;
    });
  }

  #terminate(sessionId: string): Promise<void> {
    this.onTouch(sessionId, 'terminate');
    const session = this.#sessions.get(sessionId);
    // Even the worst host ends a session at the third time of asking.
    const mayFail = session !== undefined && session.state !== 'gone' && session.failedEnds < 2;
    const hangs = mayFail && this.#mayFail(5);
    const fails = mayFail && this.#mayFail(20);
    if (session !== undefined && (hangs || fails)) session.failedEnds += 1;
    return this.#later(hangs ? 'never' : 'terminate', () => {
      if (session === undefined) throw error('session_unknown');
      if (fails) throw error('host_lost');
      const wasAlive = session.state === 'alive';
      session.state = 'gone';
      if (wasAlive) this.#tellExit(session);
    });
  }

  #later<Value>(what: string, run: () => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        try {
          if (what !== 'terminate' && what !== 'assign' && this.#mayFail(8))
            throw error(what === 'reset' && this.#random.isOneIn(2) ? 'not_supported' : 'host_lost');
          resolve(run());
        } catch (thrown) {
          reject(SemoError.from(thrown));
        }
      };
      const hangs = what === 'never' || (what !== 'terminate' && this.#mayFail(3));
      if (!hangs) this.#pending.push({ settle });
    });
  }

  #info(sessionId: string): SessionInfo | null {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.state === 'gone') return null;
    const status = session.state === 'alive' ? 'ready' : 'terminated';
    const { credentialExpiresAt } = session;
    return { sessionId, status, credentialExpiresAt } as unknown as SessionInfo;
  }

  #tellExit({ sessionId }: Unruly): void {
    this.#hub.emit('exit', { sessionId, code: null, signal: 'SIGKILL', at: this.#clock.now() });
  }

  #mayFail(percent: number): boolean {
    return !this.isObedient && this.#random.below(100) < percent;
  }

  #count(matches: (state: Unruly['state']) => boolean): number {
    let count = 0;
    for (const [sessionId, { state }] of this.#sessions) {
      if (matches(state)) count += 1;
      // A run goes through thousands of sessions: what is gone need not be looked at again.
      else if (state === 'gone' && this.#sessions.size > 40) this.#sessions.delete(sessionId);
    }
    return count;
  }
}

const error = (code: SemoError['code']): SemoError => new SemoError(code, `Unruly: ${code}.`);
const dirty = (): Error => Object.assign(error('git_failed'), { code: 'workspace_dirty' });
