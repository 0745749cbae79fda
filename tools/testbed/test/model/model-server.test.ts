import { describe, expect, test } from 'vitest';
import { credentialIs, failWith, promptIncludes, routeScripts, say, startModelServer } from '../../src/index.ts';
import { ask } from '../messages-client.ts';

async function textOf(response: Response): Promise<string> {
  const { content } = (await response.json()) as { content: { text: string }[] };
  return content.map(({ text }) => text).join('');
}

describe('requests', () => {
  test('every request is kept as it came', async () => {
    await using server = await startModelServer({ script: [say('Hi')] });
    await (await ask(server, { prompt: '안녕 "quoted"\t🙂', headers: { 'X-Api-Key': 'sk-1' } })).text();

    const [request] = server.requests;
    expect(request).toMatchObject({ index: 0, method: 'POST', path: '/v1/messages?beta=true', isSideRequest: false });
    expect(request?.headers['x-api-key']).toBe('sk-1');
    expect(JSON.parse(request?.rawBody ?? '')).toEqual(request?.body);
    expect(request?.body.messages[0]?.content).toBe('안녕 "quoted"\t🙂');
    expect(request?.lastByteAt).toBeGreaterThanOrEqual(request?.at ?? Number.POSITIVE_INFINITY);
  });

  test('waitForRequest finds past requests, later ones, and outcomes', async () => {
    await using server = await startModelServer({ script: [say('one'), say('two')] });
    const second = server.waitForRequest(promptIncludes('second'));
    await (await ask(server, { prompt: 'first' })).text();
    await (await ask(server, { prompt: 'second' })).text();

    expect((await second).index).toBe(1);
    expect((await server.waitForRequest(promptIncludes('first'))).index).toBe(0);
    const answered = await server.waitForRequest(({ index, outcome }) => index === 1 && outcome.kind === 'answered');
    expect(answered.outcome).toMatchObject({ status: 200 });
  });

  test('waitForRequest ends with its signal, and with the server', async () => {
    await using server = await startModelServer({ script: [] });
    const controller = new AbortController();
    const aborted = server.waitForRequest(() => true, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');

    const orphaned = server.waitForRequest(() => true);
    await server.close();
    await expect(orphaned).rejects.toThrow('closed after 0 requests');
    await expect(server.waitForRequest(() => true)).rejects.toThrow('closed');
  });
});

describe('other endpoints', () => {
  test('HEAD /, count_tokens and anything else', async () => {
    await using server = await startModelServer({ script: [] });
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200);
    const counted = await fetch(`${server.url}/v1/messages/count_tokens`, { method: 'POST', body: 'x'.repeat(400) });
    expect(await counted.json()).toEqual({ input_tokens: 100 });
    const missing = await fetch(`${server.url}/v1/models`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  test('a body that is not a Messages request is refused and kept', async () => {
    await using server = await startModelServer({ script: [] });
    for (const body of ['', '{', '{"model":1}']) {
      const response = await fetch(`${server.url}/v1/messages`, { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
    expect(server.requests.map(({ rawBody }) => rawBody)).toEqual(['', '{', '{"model":1}']);
    expect(server.messages).toEqual([]);
  });

  test('it listens on loopback alone', async () => {
    await using server = await startModelServer({ script: [] });
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
  });
});

describe('scripts', () => {
  test('a list is walked once per conversation, then says that it is over', async () => {
    await using server = await startModelServer({ script: [say('one'), say('two')] });
    const answer = async (session: string) => textOf(await ask(server, { session, stream: false }));
    expect([await answer('a'), await answer('b'), await answer('a')]).toEqual(['one', 'one', 'two']);
    const over = await ask(server, { session: 'a' });
    expect(over.status).toBe(400);
    expect(await over.text()).toContain('no step after its 2');
  });

  test('routes choose by prompt and by credential', async () => {
    const script = routeScripts([
      { when: promptIncludes('login'), script: [say('the login')] },
      { when: credentialIs('sk-2'), script: () => say('the second key') },
    ]);
    await using server = await startModelServer({ script });
    const plain = { stream: false };
    expect(await textOf(await ask(server, { ...plain, prompt: 'a login page' }))).toBe('the login');
    const bearer = { headers: { authorization: 'Bearer sk-2' } };
    expect(await textOf(await ask(server, { ...plain, ...bearer }))).toBe('the second key');
    expect((await ask(server, plain)).status).toBe(400);
  });

  test('what a script throws reaches the client and is kept', async () => {
    const script = (): never => {
      throw new Error('expected another header');
    };
    await using server = await startModelServer({ script });
    const response = await ask(server);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('expected another header');
    expect(server.failures).toEqual([new Error('expected another header')]);
  });
});

describe('side requests', () => {
  const side = { tools: [], stream: false };

  test('get a canned answer and leave the script alone', async () => {
    await using server = await startModelServer({ script: [say('main')] });
    expect(await textOf(await ask(server, side))).toBe('Scripted.');
    expect(await textOf(await ask(server, { stream: false }))).toBe('main');
    expect(server.requests.map(({ isSideRequest }) => isSideRequest)).toEqual([true, false]);
    expect(server.messages).toHaveLength(1);
  });

  test('may have their own script or be claimed', async () => {
    await using server = await startModelServer({
      script: [say('claimed')],
      sideScript: [failWith(429, 'rate_limit_error')],
      claimSideRequest: promptIncludes('title'),
    });
    expect((await ask(server, side)).status).toBe(429);
    expect(await textOf(await ask(server, { ...side, prompt: 'a title please' }))).toBe('claimed');
  });
});
