import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { SemoError, systemClock, webhookNotifier, type Clock, type Notice } from '../../src/index.ts';

const notice: Notice = {
  kind: 'request_opened',
  sentence: 'Session ses_1 asks leave to use Bash: echo <!channel> & more',
  requestId: 'req_1',
  sessionId: 'ses_1',
  turnId: 'turn_1',
  at: 1,
  for: 'permission',
};
const forever = { signal: new AbortController().signal };

/** A webhook on this machine: answers each call with the next status. */
async function hook(statuses: readonly number[], answer?: RequestListener) {
  const calls: { body: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = statuses[calls.length] ?? 200;
      calls.push({ body: Buffer.concat(chunks).toString(), headers: request.headers });
      if (answer !== undefined) return answer(request, response);
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('no such hook /T0/B0/secret');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    calls,
    url: `http://127.0.0.1:${port}/services/T0/B0/secret`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Time that does not pass while an attempt is under way, and leaps over the pauses between two. */
const hasty: Clock = {
  now: () => 0,
  schedule: (delayMs, run) => (delayMs < 10_000 ? systemClock.schedule(0, run) : () => undefined),
};

async function errorOf(call: Promise<unknown>): Promise<SemoError> {
  const thrown: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  return SemoError.from(thrown);
}

describe('a webhook', () => {
  it('gets what Slack takes, with nothing in it that mentions people', async () => {
    await using server = await hook([200]);
    const notifier = webhookNotifier({ url: server.url, headers: { authorization: 'Bearer mine' } });
    await notifier.notify(notice, forever);
    expect(server.calls).toHaveLength(1);
    expect(JSON.parse(server.calls[0]!.body)).toEqual({
      text: 'Session ses_1 asks leave to use Bash: echo &lt;!channel&gt; &amp; more',
    });
    expect(server.calls[0]!.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer mine',
    });
  });

  it.each([
    { statuses: [503, 429, 200], calls: 3 },
    { statuses: [500, 200], calls: 2 },
  ])('is told again where that can help: $statuses', async ({ statuses, calls }) => {
    await using server = await hook(statuses);
    await webhookNotifier({ url: server.url, clock: hasty }).notify(notice, forever);
    expect(server.calls).toHaveLength(calls);
  });

  it.each([
    { statuses: [404], calls: 1, message: 'The webhook was not told: it answered with status 404.' },
    { statuses: [302], calls: 1, message: 'The webhook was not told: it answered with status 302.' },
    { statuses: [500, 502, 503], calls: 3, message: 'The webhook was not told: it answered with status 503.' },
  ])('that refuses is an error without its address: $statuses', async ({ statuses, calls, message }) => {
    await using server = await hook(statuses);
    const notifier = webhookNotifier({ url: server.url, headers: { 'x-key': 'hidden' }, clock: hasty });
    const error = await errorOf(notifier.notify(notice, forever));
    expect(error).toMatchObject({ code: 'notify_failed', message });
    expect(server.calls).toHaveLength(calls);
    expect(inspect([error, notifier], { depth: 9, showHidden: true })).not.toMatch(/secret|127\.0\.0\.1|hidden/);
  });

  it('that is not there is an error without its address', async () => {
    const server = await hook([]);
    await server[Symbol.asyncDispose]();
    const error = await errorOf(webhookNotifier({ url: server.url, clock: hasty }).notify(notice, forever));
    expect(error.message).toBe('The webhook was not told: it could not be reached (ECONNREFUSED).');
    expect(inspect(error)).not.toMatch(/secret|127\.0\.0\.1/);
  });

  it('that never answers is given up', async () => {
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let calls = 0;
    await using server = await hook([], () => asked[calls++]?.resolve());
    const clock = new FakeClock();
    const given = new AbortController();
    const notifier = webhookNotifier({ url: server.url, timeoutMs: 1000, retries: 0, clock });
    const byTime = errorOf(notifier.notify(notice, forever));
    await asked[0]!.promise;
    clock.advance(1000);
    expect((await byTime).message).toBe('The webhook was not told: it did not answer within 1000 ms.');
    const bySignal = errorOf(notifier.notify(notice, { signal: given.signal }));
    await asked[1]!.promise;
    given.abort();
    expect((await bySignal).message).toBe('The webhook was not told: there was no more time.');
    expect(clock.pending).toBe(0);
  });

  it.each([
    'no url',
    'http://example.com/secret',
    'http://127.0.0.1.example.com/secret',
    'file:///etc/secret',
    'ftp://x/secret',
  ])('is never at %s', (url) => {
    let thrown: unknown;
    try {
      webhookNotifier({ url });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'invalid_argument' });
    expect(inspect(thrown)).not.toContain("secret'");
    expect(SemoError.from(thrown).message).not.toContain('secret');
  });

  it('takes no header that is none', () => {
    const headers = { authorization: 'Bearer a\nb' };
    expect(() => webhookNotifier({ url: 'https://example.com', headers })).toThrow(
      'A header of the webhook is not valid.',
    );
  });
});
