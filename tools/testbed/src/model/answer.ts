import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { assertNever } from '../assert-never.ts';
import { encodeEvent, errorJson, messageEvents, messageJson } from './message-wire.ts';
import type { WireEvent } from './message-wire.ts';
import { messageOf, newId } from './model-message.ts';
import type { MessageStep, ModelMessage } from './model-message.ts';
import type { ReceivedRequest, RequestOutcome } from './model-request.ts';
import type { CutStep, ErrorStep, HangStep, ModelStep } from './model-step.ts';
import { say } from './step-builders.ts';

/** An open request and the way back to its client. */
export interface OpenExchange {
  readonly request: ReceivedRequest;
  readonly response: ServerResponse;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Resolves when a hanging answer may go on. */
  readonly released: Promise<void>;
}

/**
 * Plays one step over an open request.
 * @throws the signal's reason when the client goes away meanwhile.
 */
export async function answerStep(step: ModelStep, exchange: OpenExchange): Promise<RequestOutcome> {
  switch (step.kind) {
    case 'text':
    case 'tools':
      return sendMessage(step, exchange, () => pause(step.pace?.delayMs, exchange));
    case 'long':
      return sendMessage(step, exchange, () => pause(step.delayMs, exchange));
    case 'hang':
      return sendAfterRelease(step, exchange);
    case 'error':
      return sendError(step, exchange);
    case 'cut':
      return sendCut(step, exchange);
    default:
      return assertNever(step);
  }
}

/** Sends a whole JSON answer. */
export async function sendJson(
  { response, signal }: Pick<OpenExchange, 'response' | 'signal'>,
  answer: { status: number; body: unknown; headers?: Readonly<Record<string, string>> },
): Promise<RequestOutcome> {
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'request-id': newId('req'),
    ...answer.headers,
  });
  return end(response, { signal, text: JSON.stringify(answer.body) });
}

async function end(
  response: ServerResponse,
  { signal, text = '' }: { signal: AbortSignal; text?: string },
): Promise<RequestOutcome> {
  response.end(text);
  await finished(response, { signal });
  return { kind: 'answered', status: response.statusCode, lastByteAt: Date.now() };
}

function sendError({ status, errorType, message, headers = {} }: ErrorStep, exchange: OpenExchange) {
  const requestId = newId('req');
  return sendJson(exchange, {
    status,
    body: errorJson(errorType, message, requestId),
    headers: { 'request-id': requestId, ...headers },
  });
}

async function sendMessage(
  step: MessageStep,
  exchange: OpenExchange,
  betweenDeltas: () => Promise<void>,
): Promise<RequestOutcome> {
  const message = answerTo(exchange.request, step);
  if (exchange.request.body.stream !== true) return sendJson(exchange, { status: 200, body: messageJson(message) });
  openStream(exchange);
  let previous: WireEvent | undefined;
  for (const event of messageEvents(message)) {
    if (isTextDelta(event) && previous && isTextDelta(previous)) await betweenDeltas();
    await write(encodeEvent(event), exchange);
    previous = event;
  }
  return end(exchange.response, exchange);
}

function answerTo({ body, rawBody }: ReceivedRequest, step: MessageStep): ModelMessage {
  return messageOf(step, { model: body.model, prompt: rawBody });
}

async function pause(delayMs: number | undefined, { signal }: OpenExchange): Promise<void> {
  if (delayMs !== undefined && delayMs > 0) await delay(delayMs, undefined, { signal });
}

function isTextDelta({ data }: WireEvent): boolean {
  return typeof data.delta === 'object' && data.delta !== null && 'text' in data.delta;
}

function openStream({ response }: OpenExchange): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': newId('req'),
  });
}

/** Waits for a slow reader, so that a long answer is never held in memory. */
async function write(text: string, { response, signal }: OpenExchange): Promise<void> {
  signal.throwIfAborted();
  if (!response.write(text)) await once(response, 'drain', { signal });
}

async function sendAfterRelease(step: HangStep, exchange: OpenExchange): Promise<RequestOutcome> {
  const release = (): Promise<void> => releaseOrAbort(exchange);
  const speaksFirst = step.text !== undefined && exchange.request.body.stream === true;
  if (!speaksFirst) await release();
  return sendMessage(step, exchange, release);
}

async function releaseOrAbort({ released, signal }: OpenExchange): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([released, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function sendCut(step: CutStep, exchange: OpenExchange): Promise<RequestOutcome> {
  const { request, response } = exchange;
  if (step.at !== 'connection') {
    const message = answerTo(request, say(step.text ?? 'Let me'));
    await (request.body.stream === true ? cutEvents(step, message, exchange) : cutJson(message, exchange));
  }
  const outcome: RequestOutcome = { kind: 'cut', lastByteAt: Date.now() };
  response.socket?.destroy();
  return outcome;
}

async function cutEvents({ at }: CutStep, message: ModelMessage, exchange: OpenExchange): Promise<void> {
  const lastName = at === 'start' ? 'message_start' : 'content_block_delta';
  openStream(exchange);
  for (const event of messageEvents(message)) {
    await flush(encodeEvent(event), exchange);
    if (event.name === lastName) return;
  }
}

async function cutJson(message: ModelMessage, exchange: OpenExchange): Promise<void> {
  const text = JSON.stringify(messageJson(message));
  exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  await flush(text.slice(0, Math.floor(text.length / 2)), exchange);
}

/** Unlike `write`, resolves when the bytes have left: destroying the socket would drop what still waits. */
async function flush(text: string, { response, signal }: OpenExchange): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  response.write(text, (error) => (error ? reject(error) : resolve()));
  await promise;
}
