import { createClient } from '@supabase/supabase-js';
import type {
  RealtimeChannel,
  RealtimeChannelOptions,
  SupabaseClient,
  SupabaseClientOptions,
} from '@supabase/supabase-js';
import { vi } from 'vitest';
import type { Claims, LocalSupabase } from '@semo-office/testbed/supabase';

/** Loaded machines are slow; what is waited for comes within a moment on others. */
export const patience = { timeout: 10_000, interval: 20 };

/** Unmodified clients of one local Supabase; all are closed at the end. */
export class Clients implements AsyncDisposable {
  readonly #supabase: LocalSupabase;
  readonly #clients: SupabaseClient[] = [];

  constructor(supabase: LocalSupabase) {
    this.#supabase = supabase;
  }

  /** With the secret key. */
  server(): SupabaseClient {
    return this.#open(this.#supabase.secretKey);
  }

  /** With the publishable key and no token. */
  anonymous(): SupabaseClient {
    return this.#open(this.#supabase.publishableKey);
  }

  /** With the publishable key and a token of these claims. It soon tries again after a lost connection. */
  async user(claims: Claims, { heartbeatIntervalMs = 25_000 } = {}): Promise<SupabaseClient> {
    const client = this.#open(this.#supabase.publishableKey, {
      accessToken: () => this.#supabase.jwt(claims),
      realtime: { reconnectAfterMs: () => 50, heartbeatIntervalMs },
    });
    await client.realtime.setAuth();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.removeAllChannels()));
  }

  #open(key: string, options: SupabaseClientOptions<'public'> = { auth: { persistSession: false } }): SupabaseClient {
    const client: SupabaseClient = createClient(this.#supabase.url, key, options);
    this.#clients.push(client);
    return client;
  }
}

/** A channel, and everything it was told. */
export class Ear {
  readonly channel: RealtimeChannel;
  readonly heard: { readonly event: string; readonly payload: unknown }[] = [];
  readonly statuses: string[] = [];
  readonly errors: string[] = [];
  readonly system: { readonly status: string; readonly message: string }[] = [];

  constructor(client: SupabaseClient, topic: string, config: RealtimeChannelOptions['config'] = {}) {
    this.channel = client
      .channel(topic, { config: { private: true, ...config } })
      .on('broadcast', { event: '*' }, ({ event, payload }) => this.heard.push({ event, payload: payload as unknown }))
      .on('system', {}, (message: Ear['system'][number]) => this.system.push(message));
  }

  /** Subscribes, and waits for the first status. */
  async subscribe(): Promise<this> {
    this.channel.subscribe((status, error) => {
      this.statuses.push(status);
      if (error !== undefined) this.errors.push(error.message);
    });
    await this.until(() => this.statuses.length > 0);
    return this;
  }

  events(): readonly string[] {
    return this.heard.map(({ event }) => event);
  }

  async until(condition: () => boolean): Promise<void> {
    const check = (): void => {
      if (!condition()) throw new Error(`Not so: ${JSON.stringify([this.statuses, this.errors, this.heard])}`);
    };
    await vi.waitFor(check, patience);
  }
}

/** Who has a token of an office hears its topic; only hosts speak on it. */
export const officePolicies = `
  create policy hear on realtime.messages for select to authenticated
    using ((select realtime.topic()) = 'office:' || ((select auth.jwt()) ->> 'office'));
  create policy speak on realtime.messages for insert to authenticated
    with check ((select realtime.topic()) = 'office:' || ((select auth.jwt()) ->> 'office')
      and ((select auth.jwt()) ->> 'host') is not null);
`;
