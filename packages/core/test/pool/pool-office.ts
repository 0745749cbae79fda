import { setImmediate } from 'node:timers/promises';

import {
  createPoolManager,
  EventHub,
  SemoError,
  type ErrorCode,
  type PoolFault,
  type PoolManager,
  type PoolOptions,
  type PoolRequest,
  type SessionEvents,
  type SessionInfo,
  type SessionManager,
  type SessionTemplate,
  type WarmTarget,
} from '../../src/index.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { createScriptedSessions } from '../../testing/scripted-sessions.ts';

type Calls = Pick<SessionManager, 'create' | 'get' | 'reset' | 'terminate'> & {
  assign?: (sessionId: string, assignment: { readonly branch: string }) => Promise<SessionInfo>;
};

/** A template: of a folder, or, with `repoId`, of a slot. */
export function templateOf(key: string, slot = false): SessionTemplate {
  const workspace = slot ? { kind: 'git', repoId: key, branch: 'slot' } : { kind: 'path', path: `/${key}` };
  return { agent: { kind: 'command', command: ['scripted'] }, workspace: workspace as SessionTemplate['workspace'] };
}

export const request = (key: string, more: Partial<PoolRequest> = {}): PoolRequest => ({
  key,
  role: key,
  template: templateOf(key),
  ...more,
});

export const target = (key: string, count = 1): WarmTarget => ({ key, role: key, count, template: templateOf(key) });

export const failure = (code: ErrorCode): SemoError => new SemoError(code, `It is ${code}.`);

/** Scripted sessions and a pool over them; single calls can be replaced, all are noted. */
export class PoolOffice {
  readonly clock = new FakeClock();
  readonly sessions: SessionManager;
  readonly pool: PoolManager;
  readonly faults: PoolFault[] = [];
  readonly created: string[] = [];
  readonly terminated: string[] = [];
  /** What is told beside what the sessions themselves tell. */
  readonly told = new EventHub<SessionEvents>();

  constructor(options: Partial<PoolOptions> = {}, replace: (real: SessionManager) => Partial<Calls> = () => ({})) {
    const real = createScriptedSessions({ clock: this.clock });
    const calls: Calls = {
      create: (...call) => real.create(...call),
      get: (...call) => real.get(...call),
      reset: (...call) => real.reset(...call),
      terminate: (...call) => real.terminate(...call),
      ...replace(real),
    };
    const noted: Partial<SessionManager> = {
      ...calls,
      on: (name, listener) => {
        const stops = [real.on(name, listener), this.told.on(name, listener)];
        return () => stops.forEach((stop) => stop());
      },
      create: async (...call) => {
        this.created.push(call[0].sessionId);
        return calls.create(...call);
      },
      terminate: async (...call) => {
        this.terminated.push(call[0]);
        return calls.terminate(...call);
      },
    };
    this.sessions = real;
    this.pool = createPoolManager({ clock: this.clock, ...options, sessions: noted as SessionManager });
    this.pool.on('fault', (fault) => this.faults.push(fault));
  }

  /** How many sessions live on the host. */
  async living(): Promise<number> {
    return (await this.sessions.list({ status: ['creating', 'ready', 'executing'] })).length;
  }

  /** Lets what has begun come to where it waits for the host. */
  async untilAsked(): Promise<void> {
    await setImmediate();
  }

  /** Takes a session and gives its id. */
  async take(key: string, more: Partial<PoolRequest> = {}): Promise<string> {
    return (await this.pool.acquire(request(key, more))).session.sessionId;
  }

  async giveBack(sessionId: string): Promise<void> {
    await this.pool.release(sessionId, { kind: 'reusable' });
    await this.pool.settled();
  }

  /** Lets time pass, and whatever it brings about come to its end. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.pool.settled();
  }
}
