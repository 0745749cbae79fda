import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** A tool that the model calls. */
export interface CanaryCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A model on loopback that calls the same tools in every conversation, once, and then has done. */
export interface CanaryModel extends AsyncDisposable {
  readonly url: string;
}

const requestSchema = z.looseObject({
  model: z.string().default('canary'),
  stream: z.boolean().default(false),
  tools: z.array(z.unknown()).default([]),
  messages: z.array(z.looseObject({ content: z.unknown() })).default([]),
});

type ModelRequest = z.output<typeof requestSchema>;
type Block =
  | { readonly type: 'text'; readonly text: string }
  | ({ readonly type: 'tool_use'; id: string } & CanaryCall);

/**
 * Starts the model. It speaks as much of the Messages API as Claude Code needs to call a tool.
 *
 * @example
 * ```ts
 * await using model = await startCanaryModel([{ name: 'Write', input: { file_path: '/tmp/x', content: '' } }]);
 * ```
 */
export async function startCanaryModel(calls: readonly CanaryCall[]): Promise<CanaryModel> {
  const server = createServer((request, response) => {
    answer(request, response, calls).catch(() => response.destroy());
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(incoming: IncomingMessage, response: ServerResponse, calls: readonly CanaryCall[]) {
  const path = incoming.url?.split('?', 1)[0];
  if (incoming.method !== 'POST' || path !== '/v1/messages') {
    response.writeHead(incoming.method === 'HEAD' ? 200 : 404).end();
    return;
  }
  const request = requestSchema.parse(JSON.parse(await text(incoming)));
  const blocks = blocksFor(request, calls);
  const usesTools = blocks.some(({ type }) => type === 'tool_use');
  const message = {
    id: 'msg_canary',
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: blocks,
    stop_reason: usesTools ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  response.writeHead(200, { 'content-type': request.stream ? 'text/event-stream' : 'application/json' });
  response.end(request.stream ? eventsOf(message) : JSON.stringify(message));
}

/** Requests without tools are for titles and the like. */
function blocksFor({ tools, messages }: ModelRequest, calls: readonly CanaryCall[]): Block[] {
  const hasCalled = messages.some(({ content }) => JSON.stringify(content).includes('"tool_result"'));
  if (tools.length === 0 || hasCalled) return [{ type: 'text', text: 'Done.' }];
  return calls.map((call, index) => ({ type: 'tool_use', id: `toolu_canary_${index}`, ...call }));
}

function eventsOf(message: { readonly content: readonly Block[]; readonly stop_reason: string }): string {
  const { content, stop_reason } = message;
  const events: ({ readonly type: string } & Readonly<Record<string, unknown>>)[] = [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    ...content.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: emptied(block) },
      { type: 'content_block_delta', index, delta: deltaOf(block) },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ];
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

function emptied(block: Block): object {
  return block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} };
}

function deltaOf(block: Block): object {
  if (block.type === 'text') return { type: 'text_delta', text: block.text };
  return { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
}
