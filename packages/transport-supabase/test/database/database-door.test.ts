import { SemoError } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { ClosableDoor } from '../../src/database/closable-door.ts';
import { supabaseDoor, type DoorParts } from '../../src/database/database-door.ts';
import { rowsOf } from '../../src/database/rows.ts';
import { createSupabaseTransport } from '../../src/index.ts';
import { z } from 'zod';

interface Answer {
  readonly data?: unknown;
  readonly error?: { readonly message: string; readonly code?: string } | null;
  readonly status: number;
}

/** A door whose client answers every call so; `null`: never. */
function doorThatSays(answer: Answer | null, parts: DoorParts = {}) {
  const filled = { data: null, error: null, ...answer };
  const rpc = () => ({
    abortSignal: (signal: AbortSignal) =>
      answer === null
        ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
        : Promise.resolve(filled),
  });
  return supabaseDoor({ rpc, from: rpc } as never, { clock: new FakeClock(0), ...parts });
}

const ask = (door: Pick<ClosableDoor, 'call'>): Promise<unknown> =>
  door.call('semo_event_heads', { p_office_id: 'acme' });

describe('the door to the database', () => {
  it('tells why there is no token in its own words', async () => {
    const why = new SemoError('sign_in_refused', 'The token was over.');
    const tokens = { current: () => Promise.reject(why), accepted: () => {}, refused: () => {} };
    await expect(ask(doorThatSays({ status: 200 }, { tokens }))).rejects.toBe(why);
  });

  it.each([
    { answer: { status: 200, data: [] }, says: ['took a'] },
    { answer: { status: 400, error: { message: '', code: 'P0001' } }, says: ['took a'] },
    { answer: { status: 401, error: { message: '', code: 'PGRST301' } }, says: ['refused a'] },
    { answer: { status: 503, error: { message: '' } }, says: [] },
    { answer: { status: 0, error: { message: 'fetch failed', code: '' } }, says: [] },
  ])('tells what the project thinks of a token: $answer', async ({ answer, says }) => {
    const told: string[] = [];
    const tokens = {
      current: async () => 'a',
      accepted: (token: string) => told.push(`took ${token}`),
      refused: (token: string) => told.push(`refused ${token}`),
    };
    await ask(doorThatSays(answer, { tokens })).catch(() => {});
    expect(told).toEqual(says);
  });

  it('names a project that does not answer', async () => {
    const clock = new FakeClock(0);
    const host = 'p.supabase.co';
    const late = expectError(ask(doorThatSays(null, { clock, host })), 'host_lost');
    clock.advance(10_000);
    expect((await late).message).toContain('The database at p.supabase.co did not answer.');
    const busy = await expectError(ask(doorThatSays({ status: 503, error: { message: '' } }, { host })), 'host_lost');
    expect(busy.message).toContain('The database at p.supabase.co answered HTTP 503.');
  });

  it.each([
    { status: 404, error: { message: '<h1>Not found</h1>' } },
    { status: 405, error: { message: '' } },
    { status: 200, error: { message: '<html>' } },
    { status: 404, error: { message: 'Invalid path specified in request URL', code: 'PGRST125' } },
  ])('knows what is no project: $status $error.message', async (answer) => {
    const error = await expectError(ask(doorThatSays(answer, { host: 'example.com' })), 'store_unusable');
    expect(error.message).toContain('What answers at example.com is no Supabase project');
    expect(error.message).not.toContain('<');
  });

  it('knows it by an empty answer, too', () => {
    expect(() => rowsOf(z.string(), null, 'answer')).toThrow('no Supabase project');
  });

  it('once closed lets nobody wait, nor ask', async () => {
    const door = new ClosableDoor(doorThatSays(null));
    const waiting = expectError(ask(door), 'closed');
    door.close(new SemoError('closed', 'It was closed.'));
    expect((await waiting).message).toBe('It was closed.');
    await expectError(ask(door), 'closed');
    await expectError(door.select({ table: 'agent_jobs', columns: 'job_id', orderBy: [] }), 'closed');
  });
});

it('says of a token that is not to be had what it is to, and nothing past it', async () => {
  const printed = vi.spyOn(console, 'warn').mockReturnValue();
  onTestFinished(() => printed.mockRestore());
  const problems: string[] = [];
  const transport = createSupabaseTransport({
    url: 'http://127.0.0.1:9',
    key: 'sb_publishable_x',
    officeId: 'acme',
    accessToken: () => Promise.reject(new Error('secret')),
    onProblem: ({ code }) => problems.push(code),
  });
  await expectError(transport.commands.get('cmd_1'), 'sign_in_refused');
  await transport.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(problems).toEqual(['sign_in_refused']);
  expect(printed).not.toHaveBeenCalled();
});
