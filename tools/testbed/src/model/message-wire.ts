import { estimateTokens, textDeltas } from './model-message.ts';
import type { AnswerBlock, ModelMessage } from './model-message.ts';

/** One server-sent event of a streamed answer. */
export interface WireEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The bytes of an event as they go over the wire. */
export function encodeEvent({ name, data }: WireEvent): string {
  return `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;
}

const inputJsonDeltaBytes = 2048;

/** The events of a streamed answer, in the order the Messages API sends them. */
export function* messageEvents(message: ModelMessage): Generator<WireEvent> {
  yield startEvent(message);
  yield { name: 'ping', data: {} };
  let outputTokens = 0;
  for (const [index, block] of message.blocks.entries()) {
    yield blockStart(index, block);
    for (const delta of blockDeltas(block)) {
      outputTokens += estimateTokens(Object.values(delta).join(''));
      yield { name: 'content_block_delta', data: { index, delta } };
    }
    yield { name: 'content_block_stop', data: { index } };
  }
  yield {
    name: 'message_delta',
    data: { delta: { stop_reason: message.stopReason, stop_sequence: null }, usage: { output_tokens: outputTokens } },
  };
  yield { name: 'message_stop', data: {} };
}

function startEvent({ id, model, inputTokens }: ModelMessage): WireEvent {
  const usage = { ...cacheUsage, input_tokens: inputTokens, output_tokens: 1 };
  return {
    name: 'message_start',
    data: { message: { ...envelope(id, model), content: [], stop_reason: null, usage } },
  };
}

const cacheUsage = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

function envelope(id: string, model: string): Record<string, unknown> {
  return { id, type: 'message', role: 'assistant', model, stop_sequence: null };
}

function blockStart(index: number, block: AnswerBlock): WireEvent {
  return { name: 'content_block_start', data: { index, content_block: emptyBlock(block) } };
}

function emptyBlock(block: AnswerBlock): Record<string, unknown> {
  if (block.type === 'text') return { type: 'text', text: '' };
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' };
  return { ...block, input: {} };
}

function* blockDeltas(block: AnswerBlock): Generator<Record<string, string>> {
  if (block.type === 'text') {
    for (const text of block.deltas) yield { type: 'text_delta', text };
  } else if (block.type === 'thinking') {
    yield { type: 'thinking_delta', thinking: block.thinking };
    yield { type: 'signature_delta', signature: scriptedSignature };
  } else {
    for (const json of textDeltas(JSON.stringify(block.input), inputJsonDeltaBytes)) {
      yield { type: 'input_json_delta', partial_json: json };
    }
  }
}

const scriptedSignature = Buffer.from('scripted').toString('base64');

/** The same answer as one JSON object, for requests that do not stream. */
export function messageJson(message: ModelMessage): Record<string, unknown> {
  const content = message.blocks.map(wholeBlock);
  return {
    ...envelope(message.id, message.model),
    content,
    stop_reason: message.stopReason,
    usage: {
      ...cacheUsage,
      input_tokens: message.inputTokens,
      output_tokens: estimateTokens(JSON.stringify(content)),
    },
  };
}

function wholeBlock(block: AnswerBlock): Record<string, unknown> {
  if (block.type === 'text') return { type: 'text', text: [...block.deltas].join('') };
  if (block.type === 'thinking') return { ...block, signature: scriptedSignature };
  return { ...block };
}

/** An error in the shape of the Anthropic API. */
export function errorJson(errorType: string, message: string, requestId: string): Record<string, unknown> {
  return { type: 'error', error: { type: errorType, message }, request_id: requestId };
}
