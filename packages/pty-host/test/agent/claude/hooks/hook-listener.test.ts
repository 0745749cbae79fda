import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

import {
  ClaudeHookListener,
  type HookEndpoint,
  type HookInput,
} from '../../../../src/agent/claude/hooks/hook-listener.ts';

const stop = { hook_event_name: 'Stop', last_assistant_message: 'Done.', background_tasks: [], more: 'unread' };

function post({ url, token }: HookEndpoint, body: unknown, init: RequestInit = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${url}/Stop`, { method: 'POST', body: text, headers: { Authorization: `Bearer ${token}` }, ...init });
}

describe('the listener for hooks', () => {
  it('gives each session’s handler its own events, and its answers back', async () => {
    const listener = new ClaudeHookListener();
    const heard: [string, HookInput][] = [];
    const handler = (name: string) => (input: HookInput) => {
      heard.push([name, input]);
      return { for: name };
    };
    const [one, other] = [await listener.register(handler('one')), await listener.register(handler('other'))];
    expect(one.url).toBe(other.url);
    expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await (await post(one, stop)).json()).toEqual({ for: 'one' });
    expect(await (await post(other, { hook_event_name: 'UserPromptSubmit', prompt: 'hi' })).json()).toEqual({
      for: 'other',
    });
    expect(heard.map(([name, input]) => [name, input.hook_event_name])).toEqual([
      ['one', 'Stop'],
      ['other', 'UserPromptSubmit'],
    ]);
    await listener.unregister(one);
    expect((await post(one, stop)).status).toBe(401);
    expect((await post(other, stop)).status).toBe(200);
    await listener.unregister(other);
    await expect(post(other, stop)).rejects.toThrow('fetch failed');
    // And opens again for the next.
    const next = await listener.register(handler('next'));
    expect((await post(next, stop)).status).toBe(200);
    await listener.unregister(next);
  });

  it.each([
    { name: 'no token', init: { headers: {} }, status: 401 },
    { name: 'another token', init: { headers: { Authorization: 'Bearer guess' } }, status: 401 },
    { name: 'no POST', init: { method: 'PUT' }, status: 401 },
    { name: 'no JSON', body: '{', status: 400 },
    { name: 'an event of no interest', body: { hook_event_name: 'Notification' }, status: 400 },
    { name: 'an event without what it needs', body: { hook_event_name: 'UserPromptSubmit' }, status: 400 },
    {
      name: 'more than any prompt',
      body: JSON.stringify({ ...stop, more: 'x'.repeat(17 * 1024 * 1024) }),
      status: 413,
    },
  ])('refuses what has $name', async ({ body = stop, init = {}, status }) => {
    const listener = new ClaudeHookListener();
    let heard = 0;
    const endpoint = await listener.register(() => ({ heard: (heard += 1) }));
    expect((await post(endpoint, body, init)).status).toBe(status);
    expect(heard).toBe(0);
    await listener.unregister(endpoint);
  });

  it('stays open for a session that begins while the last one ends', async () => {
    const listener = new ClaudeHookListener();
    const last = await listener.register(() => ({}));
    const [, next] = await Promise.all([listener.unregister(last), listener.register(() => ({ for: 'next' }))]);
    expect(await (await post(next, stop)).json()).toEqual({ for: 'next' });
    await listener.unregister(next);
  });

  it.each(['PreToolUse', 'SubagentStart', 'SubagentStop', 'SessionEnd'])('hears %s', async (name) => {
    const listener = new ClaudeHookListener();
    const endpoint = await listener.register(({ hook_event_name: heard }) => ({ heard }));
    const body = { hook_event_name: name, tool_name: 'Write', tool_input: {}, agent_id: 'a' };
    expect(await (await post(endpoint, body)).json()).toEqual({ heard: name });
    await listener.close();
    await expect(post(endpoint, body)).rejects.toThrow('fetch failed');
  });

  it('tells a handler when nobody waits for its answer any more', async () => {
    const listener = new ClaudeHookListener();
    const asked = Promise.withResolvers<AbortSignal>();
    const endpoint = await listener.register((_, withdrawn) => {
      asked.resolve(withdrawn);
      return new Promise(() => undefined);
    });
    const giveUp = new AbortController();
    const posting = post(endpoint, stop, { signal: giveUp.signal });
    const withdrawn = await asked.promise;
    giveUp.abort();
    await expect(posting).rejects.toThrow('aborted');
    if (!withdrawn.aborted) await once(withdrawn, 'abort');
    await listener.unregister(endpoint);
  });

  it('cuts the connection of a handler that fails', async () => {
    const listener = new ClaudeHookListener();
    const endpoint = await listener.register(() => Promise.reject(new Error('no')));
    await expect(post(endpoint, stop)).rejects.toThrow('fetch failed');
    await listener.unregister(endpoint);
  });
});
