import { createClient } from '@supabase/supabase-js';

import type { SupabaseTransportOptions } from '../src/index.ts';

/** What each function answers at once; the others answer when told to, or never. */
const AT_ONCE: Readonly<Record<string, unknown>> = {
  semo_register_host: [{ epoch: 1, left_behind: [] }],
  semo_event_heads: [],
  semo_sign_off_host: null,
};

/** A project that does not answer: what it is asked is noted, and answered when told to. */
export class MuteProject {
  /** The functions that were called, and the tables that were read. */
  readonly asked: string[] = [];
  readonly #answers = new Map<string, unknown>();
  readonly #waits = new Map<string, ((response: Response) => void)[]>();
  readonly #refused = new Set<string>();
  #heard: (() => void)[] = [];

  constructor(answering: readonly string[] = []) {
    for (const name of answering) this.#answers.set(name, AT_ONCE[name] ?? null);
  }

  /** Access to it. */
  get access(): Extract<SupabaseTransportOptions, { client: unknown }>['client'] {
    return createClient('http://project.test', 'sb_publishable_x', { global: { fetch: this.#fetch } });
  }

  /** Answers those calls of a function that wait, and all later ones. */
  answer(name: string, answer = AT_ONCE[name]): void {
    this.#answers.set(name, answer);
    for (const resolve of this.#waits.get(name)?.splice(0) ?? []) resolve(Response.json(answer));
  }

  /** Refuses those calls of a function that wait, and all later ones. */
  refuse(name: string): void {
    this.#refused.add(name);
    for (const resolve of this.#waits.get(name)?.splice(0) ?? []) resolve(refusal());
  }

  /** Resolves once a function has been called. */
  async untilAsked(name: string): Promise<void> {
    while (!this.asked.includes(name)) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  readonly #fetch: typeof fetch = async (input) => {
    const name = new URL(input instanceof Request ? input.url : input).pathname.split('/').at(-1) ?? '';
    this.asked.push(name);
    for (const hear of this.#heard.splice(0)) hear();
    if (this.#refused.has(name)) return refusal();
    if (this.#answers.has(name)) return Response.json(this.#answers.get(name));
    return new Promise((resolve) => this.#waits.set(name, [...(this.#waits.get(name) ?? []), resolve]));
  };
}

function refusal(): Response {
  return Response.json({ code: 'XX000', message: 'It is broken.' }, { status: 400 });
}
