import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { answerStep, sendJson } from './answer.ts';
import type { OpenExchange } from './answer.ts';
import { errorJson } from './message-wire.ts';
import { estimateTokens, newId } from './model-message.ts';
import { ReceivedRequest } from './model-request.ts';
import type { ModelRequest, RequestOutcome } from './model-request.ts';
import { playScript } from './model-script.ts';
import type { AnswerRequest, ModelScript } from './model-script.ts';
import { RequestLog } from './request-log.ts';
import type { RequestPredicate } from './request-log.ts';
import { failWith, say } from './step-builders.ts';

/** How a scripted model server behaves. */
export interface ModelServerOptions {
  /** What the model does. */
  readonly script: ModelScript;
  /** Answers requests without tools. Default: always `Scripted.` */
  readonly sideScript?: ModelScript;
  /** Side requests for which this is true go to `script` instead. Default: none. */
  readonly claimSideRequest?: RequestPredicate;
  /** Default: 0, any free port. */
  readonly port?: number;
}

/** A running server. It listens on 127.0.0.1 alone and takes any credential. */
export interface ModelServer extends AsyncDisposable {
  /** For ANTHROPIC_BASE_URL, without a slash at its end. */
  readonly url: string;
  /** Every request so far, oldest first, `HEAD /` and unknown paths included. */
  readonly requests: readonly ModelRequest[];
  /** The requests of conversations: Messages requests with tools. */
  readonly messages: readonly ModelRequest[];
  /** What scripts threw. A test that asserts within a script checks that this is empty. */
  readonly failures: readonly unknown[];
  /**
   * Resolves with the first Messages request, past ones included, that satisfies the predicate. A request is judged
   * when it arrives and again when its outcome is known.
   * @throws the signal's reason, what the predicate throws, or an error when the server closes first.
   * @example await server.waitForRequest((request) => request.outcome.kind === 'aborted', { signal })
   */
  waitForRequest(predicate: RequestPredicate, options?: { readonly signal?: AbortSignal }): Promise<ModelRequest>;
  /** Lets a hanging answer go on: this request's, or everyone's who hangs now. */
  release(request?: ModelRequest): void;
  /** Ends every connection and stops listening. Closing twice is closing once. */
  close(): Promise<void>;
}

/**
 * Starts a model server on loopback.
 * @example
 * await using server = await startModelServer({ script: [useTool('Bash', { command: 'ls' }), say('Done.')] });
 */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const scripted = new ScriptedServer(options);
  await scripted.listen(options.port ?? 0);
  return scripted;
}

class ScriptedServer implements ModelServer {
  readonly failures: unknown[] = [];
  readonly #log = new RequestLog();
  readonly #releases = new Map<ModelRequest, () => void>();
  readonly #server: Server;
  readonly #answer: AnswerRequest;
  #url = '';

  constructor({ script, sideScript = () => say('Scripted.'), claimSideRequest = () => false }: ModelServerOptions) {
    const main = playScript(script);
    const side = playScript(sideScript);
    this.#answer = (request) => (request.isSideRequest && !claimSideRequest(request) ? side : main)(request);
    // A rejection here would end the process; every failure of an exchange is settled within `#serve`.
    this.#server = createServer((incoming, response) => void this.#serve(incoming, response));
  }

  get url(): string {
    return this.#url;
  }

  get requests(): readonly ModelRequest[] {
    return this.#log.requests;
  }

  get messages(): readonly ModelRequest[] {
    return this.#log.requests.filter((request) => request.isMessage && !request.isSideRequest);
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  waitForRequest(predicate: RequestPredicate, { signal }: { signal?: AbortSignal } = {}): Promise<ModelRequest> {
    return this.#log.waitFor(predicate, signal);
  }

  release(request?: ModelRequest): void {
    if (request) this.#releases.get(request)?.();
    else for (const release of this.#releases.values()) release();
  }

  async close(): Promise<void> {
    this.#log.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const rawBody = await text(incoming).catch(() => undefined);
    if (rawBody === undefined) return;
    const request = new ReceivedRequest({
      index: this.requests.length,
      method: incoming.method ?? 'GET',
      path: incoming.url ?? '/',
      headers: flatHeaders(incoming),
      rawBody,
      at: Date.now(),
    });
    const { promise: released, resolve } = Promise.withResolvers<void>();
    this.#releases.set(request, resolve);
    const exchange: OpenExchange = { request, response, released, signal: goneSignal(response) };
    this.#log.add(request);
    this.#log.settle(request, await this.#play(exchange));
    this.#releases.delete(request);
  }

  async #play(exchange: OpenExchange): Promise<RequestOutcome> {
    try {
      return await this.#respond(exchange);
    } catch (error) {
      if (!exchange.signal.aborted) this.failures.push(error);
      exchange.response.destroy();
      return { kind: 'aborted', at: Date.now() };
    }
  }

  async #respond(exchange: OpenExchange): Promise<RequestOutcome> {
    const { request } = exchange;
    if (request.isMessage) return answerStep(await this.#stepFor(request), exchange);
    if (request.method === 'HEAD' && request.pathname === '/') return sendJson(exchange, { status: 200, body: {} });
    if (request.method === 'POST' && request.pathname === '/v1/messages/count_tokens') {
      return sendJson(exchange, { status: 200, body: { input_tokens: estimateTokens(request.rawBody) } });
    }
    return refuse(exchange);
  }

  async #stepFor(request: ModelRequest) {
    try {
      return await this.#answer(request);
    } catch (error) {
      this.failures.push(error);
      return failWith(400, 'invalid_request_error', { message: `The script failed: ${String(error)}` });
    }
  }
}

function refuse(exchange: OpenExchange): Promise<RequestOutcome> {
  const { method, path, pathname } = exchange.request;
  const unreadable = method === 'POST' && pathname === '/v1/messages';
  const [status, errorType, message] = unreadable
    ? [400, 'invalid_request_error', 'The body is not a Messages request.']
    : [404, 'not_found_error', `There is no ${method} ${path}.`];
  return sendJson(exchange, { status, body: errorJson(errorType, message, newId('req')) });
}

function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** Aborts when the connection closes before the answer is finished. */
function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new Error('The client went away.'));
  });
  return controller.signal;
}
