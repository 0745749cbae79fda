import { describe, expect, test } from 'vitest';
import { cutStream, failWith, hang, say, sayLines, startModelServer, useTools } from '../../src/index.ts';
import type { ModelStep } from '../../src/index.ts';
import { parseEvents, textDeltasOf } from '../event-stream.ts';
import { ask } from '../messages-client.ts';

async function streamed(step: ModelStep) {
  await using server = await startModelServer({ script: [step] });
  const response = await ask(server);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  return parseEvents(await response.text());
}

async function whole(step: ModelStep): Promise<Record<string, unknown>> {
  await using server = await startModelServer({ script: [step] });
  return (await (await ask(server, { stream: false })).json()) as Record<string, unknown>;
}

describe('text', () => {
  test('a streamed answer has the events of the Messages API in order', async () => {
    const events = await streamed(say('Hello', { thinking: 'A greeting.' }));
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events.every(({ name, data }) => data.type === name)).toBe(true);
    expect(events[0]?.data.message).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{24}$/) as unknown,
      role: 'assistant',
      model: 'claude-test',
      stop_reason: null,
      usage: { input_tokens: expect.any(Number) as unknown, output_tokens: 1 },
    });
    expect(events.at(-2)?.data).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { output_tokens: expect.any(Number) as unknown },
    });
  });

  test.each(['max_tokens', 'refusal'] as const)('the stop reason %s', async (stopReason) => {
    expect((await streamed(say('So', { stopReason }))).at(-2)?.data).toMatchObject({
      delta: { stop_reason: stopReason },
    });
    expect(await whole(say('So', { stopReason }))).toMatchObject({ stop_reason: stopReason });
  });

  test('a pace sets the size of the pieces and never splits a character', async () => {
    const text = '한국어 🙂🙂 and plain words';
    const deltas = textDeltasOf(await streamed(say(text, { pace: { bytesPerChunk: 4, delayMs: 1 } })));
    expect(deltas.join('')).toBe(text);
    expect(deltas.length).toBe(8);
    expect(Math.max(...deltas.map((delta) => Buffer.byteLength(delta)))).toBeLessThanOrEqual(7);
  });

  test('without streaming the answer is one object', async () => {
    expect(await whole(say('Hello'))).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
    });
  });
});

test('tools: each use is a block whose input arrives as JSON in pieces', async () => {
  const input = { command: `echo ${'한🙂'.repeat(1000)}` };
  const step = useTools(
    [
      { name: 'Bash', input },
      { name: 'Bash', input: {} },
    ],
    { text: 'Running.' },
  );
  const events = await streamed(step);
  const json = events
    .filter(({ data }) => data.index === 1 && data.type === 'content_block_delta')
    .map(({ data }) => (data.delta as { partial_json: string }).partial_json);
  expect(json.length).toBeGreaterThan(1);
  expect(JSON.parse(json.join(''))).toEqual(input);
  expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: 'tool_use' } });

  const { content } = (await whole(step)) as { content: { id?: string }[] };
  expect(content).toMatchObject([{ type: 'text' }, { name: 'Bash', input }, { name: 'Bash', input: {} }]);
  expect(new Set(content.map(({ id }) => id)).size).toBe(3);
});

test('long: all lines arrive, and a slow reader holds the server back', async () => {
  await using server = await startModelServer({ script: [sayLines(200_000)] });
  const response = await ask(server);
  const request = await server.waitForRequest(() => true);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader?.read())?.value ?? '';
  expect(request.outcome.kind).toBe('pending');

  let received = '';
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) received += part.value;
  const events = parseEvents(first + received);
  expect(
    textDeltasOf(events)
      .join('')
      .match(/^\d+ the quick .* dog$/gm),
  ).toHaveLength(200_000);
  expect(events.at(-1)?.name).toBe('message_stop');
  await server.waitForRequest(({ outcome }) => outcome.kind === 'answered');
});

test('error: status, headers and the error shape', async () => {
  await using server = await startModelServer({
    script: [failWith(429, 'rate_limit_error', { message: 'Slow down', headers: { 'retry-after': '7' } })],
  });
  const response = await ask(server);
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(await response.json()).toMatchObject({
    type: 'error',
    error: { type: 'rate_limit_error', message: 'Slow down' },
  });
});

describe('cut', () => {
  test('before any byte', async () => {
    await using server = await startModelServer({ script: [cutStream('connection')] });
    await expect(ask(server)).rejects.toThrow('fetch failed');
  });

  test.each([
    ['start', 'message_start'],
    ['text', 'content_block_delta'],
  ] as const)('at %s: the stream breaks after %s', async (at, lastEvent) => {
    await using server = await startModelServer({ script: [cutStream(at, { text: 'Half' })] });
    const received = await readUntilBroken(await ask(server));
    expect(parseEvents(received).at(-1)?.name).toBe(lastEvent);
    expect((await server.waitForRequest(() => true)).outcome.kind).toBe('cut');
  });

  test('without streaming, in the middle of the object', async () => {
    await using server = await startModelServer({ script: [cutStream()] });
    await expect((await ask(server, { stream: false })).text()).rejects.toThrow('terminated');
  });
});

async function readUntilBroken(response: Response): Promise<string> {
  let received = '';
  const read = async (): Promise<void> => {
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) received += part;
  };
  await expect(read()).rejects.toThrow('terminated');
  return received;
}

describe('hang', () => {
  test('ends when the client gives up', async () => {
    await using server = await startModelServer({ script: [hang()] });
    const controller = new AbortController();
    const asked = ask(server, { signal: controller.signal });
    await server.waitForRequest(() => true);
    controller.abort();
    await expect(asked).rejects.toThrow('aborted');
    const request = await server.waitForRequest(({ outcome }) => outcome.kind !== 'pending');
    expect(request.outcome.kind).toBe('aborted');
    expect(server.failures).toEqual([]);
  });

  test('goes on when it is released, one at a time or all', async () => {
    const step = hang({ text: 'Hm. ', thenText: 'Yes.' });
    await using server = await startModelServer({ script: [step] });
    const asked = ['a', 'b', 'c'].map((session) => ask(server, { session }));
    const requests = await Promise.all(
      ['a', 'b', 'c'].map((session) => server.waitForRequest(({ conversation }) => conversation === session)),
    );
    server.release(requests[1]);
    const answer = await asked[1];
    expect(textDeltasOf(parseEvents((await answer?.text()) ?? ''))).toEqual(['Hm. ', 'Yes.']);
    expect(requests.map(({ outcome }) => outcome.kind)).toEqual(['pending', 'answered', 'pending']);
    server.release();
    for (const response of await Promise.all(asked.filter((_, index) => index !== 1))) {
      expect(await response.text()).toContain('message_stop');
    }
  });

  test('closing the server ends it', async () => {
    const server = await startModelServer({ script: [hang()] });
    const asked = ask(server);
    await server.waitForRequest(() => true);
    const [result] = await Promise.allSettled([asked, server.close()]);
    expect(result.status).toBe('rejected');
    await server.close();
  });
});
