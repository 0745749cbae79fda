import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SemoError } from '@semo-office/core';
import { z } from 'zod';

/** The events of Claude Code that tell of its turns. */
export const TURN_EVENTS = [
  'UserPromptSubmit',
  'PostToolUse',
  'PostToolUseFailure',
  'Stop',
  'StopFailure',
  'SubagentStart',
  'SubagentStop',
  'PermissionRequest',
  'SessionEnd',
] as const;

/** Set where a subagent is meant. */
const subagent = z.string().nullish();

/** The conversation that is meant. */
const conversation = z.string().optional();

const backgroundTaskSchema = z.looseObject({ id: z.string().optional(), status: z.string().optional() });

/** What a hook tells, as far as we use it; the rest is let through unread. */
export const hookInputSchema = z.discriminatedUnion('hook_event_name', [
  z.looseObject({
    hook_event_name: z.literal('UserPromptSubmit'),
    session_id: conversation,
    prompt: z.string(),
    transcript_path: z.string().nullish(),
  }),
  z.looseObject({
    hook_event_name: z.literal('Stop'),
    session_id: conversation,
    agent_id: subagent,
    last_assistant_message: z.string().nullish(),
    background_tasks: z.array(backgroundTaskSchema).nullish(),
  }),
  z.looseObject({
    hook_event_name: z.literal('StopFailure'),
    session_id: conversation,
    agent_id: subagent,
    error: z.string().nullish(),
    error_details: z.string().nullish(),
    last_assistant_message: z.string().nullish(),
  }),
  z.looseObject({ hook_event_name: z.literal('SubagentStart'), session_id: conversation, agent_id: subagent }),
  z.looseObject({ hook_event_name: z.literal('SubagentStop'), session_id: conversation, agent_id: subagent }),
  z.looseObject({
    hook_event_name: z.literal('PostToolUse'),
    session_id: conversation,
    agent_id: subagent,
    tool_name: z.string(),
    tool_input: z.unknown(),
    tool_response: z.unknown(),
  }),
  z.looseObject({
    hook_event_name: z.literal('PostToolUseFailure'),
    session_id: conversation,
    tool_name: z.string(),
    tool_input: z.unknown(),
    error: z.string().nullish(),
  }),
  /** Asked only of tools that are guarded; see `ClaudeScopeGuard`. */
  z.looseObject({
    hook_event_name: z.literal('PreToolUse'),
    tool_name: z.string(),
    tool_input: z.unknown(),
    cwd: z.string().nullish(),
  }),
  z.looseObject({
    hook_event_name: z.literal('PermissionRequest'),
    session_id: conversation,
    tool_name: z.string(),
    tool_input: z.unknown(),
  }),
  z.looseObject({ hook_event_name: z.literal('SessionEnd'), session_id: conversation, reason: z.string().nullish() }),
]);

/** See {@link hookInputSchema}. */
export type HookInput = z.infer<typeof hookInputSchema>;

/** Answers a hook with the JSON it is to get; `withdrawn` aborts when the agent no longer wants to know. */
export type HookHandler = (input: HookInput, withdrawn: AbortSignal) => Promise<object> | object;

/** Where one session's hooks go, and what they must show. */
export interface HookEndpoint {
  readonly url: string;
  readonly token: string;
}

/** A prompt of 1 MiB, as JSON with every character escaped, and some room. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const digest = (token: string) => createHash('sha256').update(token).digest('hex');

/**
 * The loopback listener for hooks of all sessions of a host. Each session has a token of its own, so that no agent can
 * speak for another; tokens are compared by their digests. It opens with the first session and closes with the last. A session
 * that another host has left goes on calling the address it was given then: for each such address there is a door more.
 */
export class ClaudeHookListener {
  // Keyed by digest: how long a look-up takes tells nothing about a token.
  readonly #handlers = new Map<string, HookHandler>();
  #server: Promise<Server> | null = null;
  /** By their ports. */
  readonly #olderDoors = new Map<number, Promise<Server>>();

  async register(handler: HookHandler): Promise<HookEndpoint> {
    const token = randomBytes(32).toString('base64url');
    this.#handlers.set(digest(token), handler);
    this.#server ??= this.#listen(0);
    const { port } = (await this.#server).address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, token };
  }

  /** Listens where another host has, with its token. @throws SemoError `internal`: somebody else does. */
  async takeUp({ url, token }: HookEndpoint, handler: HookHandler): Promise<void> {
    const port = Number(new URL(url).port);
    const door = this.#olderDoors.get(port) ?? this.#listen(port);
    this.#olderDoors.set(port, door);
    await door.catch((cause: unknown) => {
      this.#olderDoors.delete(port);
      const message = `Its hooks call ${url}, where this host cannot listen: ${SemoError.from(cause).message}`;
      throw new SemoError('internal', message, { cause });
    });
    this.#handlers.set(digest(token), handler);
  }

  async unregister({ token }: HookEndpoint): Promise<void> {
    this.#handlers.delete(digest(token));
    if (this.#handlers.size === 0) await this.close();
  }

  /** Hears nothing any more, whoever is registered. What is asked now is not answered. */
  async close(): Promise<void> {
    this.#handlers.clear();
    const listening = [...(this.#server === null ? [] : [this.#server]), ...this.#olderDoors.values()];
    // First of all, so that who registers meanwhile gets a listener that stays.
    this.#server = null;
    this.#olderDoors.clear();
    for (const each of listening) {
      const server = await each;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  #listen(wanted: number): Promise<Server> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch(() => {
        response.destroy();
      });
    });
    // A permission question is held open until a person has answered.
    server.requestTimeout = 0;
    server.unref();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        resolve(server);
      });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const handler = token === undefined ? undefined : this.#handlers.get(digest(token));
    if (handler === undefined || request.method !== 'POST') return reply(response, 401, {});
    const body = await readBody(request);
    if (body === null) return reply(response, 413, {});
    const input = hookInputSchema.safeParse(body);
    if (!input.success) return reply(response, 400, {});
    const withdrawn = new AbortController();
    response.on('close', () => {
      withdrawn.abort();
    });
    reply(response, 200, await handler(input.data, withdrawn.signal));
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
