import { serveSessions } from '@semo-office/core';
import { createClient } from '@supabase/supabase-js';

import { createSupabaseTransport, type SupabaseHostLink } from '../../src/index.ts';
import type { Project } from '../project.ts';
import { RecordedSessions, type Machine } from './recorded-sessions.ts';

/** The call to the database at which a host or an office dies. */
export interface Death {
  readonly when: 'before' | 'after';
  /** The function's name. */
  readonly call: string;
  /** What of it must be in what is sent or, where it dies after it, in the answer. */
  readonly says: string;
}

/** Lets a process's calls through until it dies; from then on nothing of it arrives anywhere, and nobody answers it. */
export class MortalLine {
  readonly died: Promise<void>;
  readonly #death: Death;
  readonly #deathKnell = Promise.withResolvers<void>();
  readonly #buried = Promise.withResolvers<never>();

  #isDead = false;

  constructor(death: Death) {
    this.#death = death;
    this.died = this.#deathKnell.promise;
    this.#buried.promise.catch(() => undefined);
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const call = new URL(input instanceof Request ? input.url : input).pathname.split('/').at(-1);
    const isFatal = call === this.#death.call;
    const body = typeof init?.body === 'string' ? init.body : '';
    if (isFatal && this.#death.when === 'before' && body.includes(this.#death.says)) this.#die();
    if (this.#isDead) return this.#buried.promise;
    const response = await fetch(input, init);
    if (isFatal && this.#death.when === 'after') {
      const answer = await response.clone().text();
      if (`${body}${answer}`.includes(this.#death.says)) this.#die();
    }
    return this.#isDead ? this.#buried.promise : response;
  };

  /** Lets go of what still waits for an answer. */
  bury(): void {
    this.#die();
    this.#buried.reject(new TypeError('It is dead.'));
  }

  #die(): void {
    this.#isDead = true;
    this.#deathKnell.resolve();
  }
}

/** Who a process is to the project. */
interface Identity {
  readonly project: Project;
  readonly officeId: string;
  readonly line: MortalLine;
}

/** A transport over a line that can die, for a host or, without a host's id, for an office. */
export function mortalTransport({ project, officeId, line }: Identity, hostId?: string) {
  const { url, secretKey, publishableKey } = project.supabase;
  const semo = { role: 'host', office_id: officeId, host_id: hostId };
  const options = { global: { fetch: line.fetch }, auth: { persistSession: false } };
  const client =
    hostId === undefined
      ? createClient(url, secretKey, options)
      : createClient(url, publishableKey, {
          ...options,
          accessToken: () => project.supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo } }),
        });
  const times = { fastPollMs: 15, slowPollMs: 60, eventBatchMs: 5, closeTimeoutMs: 50 };
  return createSupabaseTransport({ client, officeId, realtime: false, times });
}

/** Serves what a host's machine has, as one life of its host process. */
export async function serveMachine(host: SupabaseHostLink, machine: Machine): Promise<void> {
  const sessions = new RecordedSessions(machine, host.sessionStore);
  await sessions.settle();
  serveSessions(host, sessions.manager);
}
