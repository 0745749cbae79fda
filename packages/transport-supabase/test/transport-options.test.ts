import { expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { createSupabaseTransport, type HostOptions, type SupabaseTransportOptions } from '../src/index.ts';
import { MuteProject } from './mute-project.ts';

const url = 'https://project.test';
const key = 'sb_publishable_x';
const by = { url, key, officeId: 'acme' };
const client = new MuteProject().access;

async function refusal(options: unknown): Promise<string> {
  const make = async () => createSupabaseTransport(options as SupabaseTransportOptions);
  return (await expectError(make(), 'invalid_argument')).message;
}

describe('the options of a transport', () => {
  it.each([by, { ...by, accessToken: async () => 'token' }, { client, officeId: 'acme' }])(
    'may be %o',
    async (options) => {
      const transport = createSupabaseTransport(options);
      expect(transport.office()).toBeDefined();
      await transport.close();
    },
  );

  const EITHER = 'Give either a client, or a url and a key';
  it.each([
    { options: undefined, says: 'expected object' },
    { options: { officeId: 'acme' }, says: EITHER },
    { options: { url, officeId: 'acme' }, says: EITHER },
    { options: { key, officeId: 'acme' }, says: EITHER },
    { options: { ...by, client }, says: EITHER },
    { options: { client, accessToken: async () => 'token', officeId: 'acme' }, says: EITHER },
    { options: { ...by, url: 'project' }, says: 'Write https://….' },
    { options: { ...by, url: 'ftp://project' }, says: 'Write https://….' },
    { options: { ...by, key: '' }, says: 'at key' },
    { options: { ...by, realtme: false }, says: 'realtme' },
    { options: { ...by, times: { leaseMS: 5 } }, says: 'leaseMS' },
    { options: { ...by, accessToken: 'eyJ' }, says: 'expected a function' },
    { options: { ...by, onProblem: 'x' }, says: 'expected a function' },
    { options: { ...by, clock: {} }, says: 'now, schedule' },
    { options: { client: {}, officeId: 'acme' }, says: 'rpc, from' },
    { options: { client: { rpc() {}, from() {} }, officeId: 'acme' }, says: 'a client of supabase-js' },
    { options: { ...by, times: { answerTimeoutMs: 1000.5 } }, says: 'It is a whole number.' },
    { options: { ...by, times: { answerTimeoutMs: 1e12 } }, says: '<=2147483647' },
    { options: { ...by, times: { leaseMs: 1e15 } }, says: '<=2147483647' },
    { options: { ...by, times: { hostGraceMs: -1 } }, says: '>=0' },
    { options: { ...by, officeId: 'a b' }, says: 'An id has' },
  ])('cannot be $options: $says', async ({ options, says }) => {
    expect(await refusal(options)).toContain(says);
  });

  it.each([
    { host: { capacity: 1 }, says: 'hostId' },
    { host: { hostId: 'h1', capacity: 1e12 }, says: '<=2147483647' },
    { host: { hostId: 'h1', capacity: 1.5 }, says: 'It is a whole number.' },
    { host: { hostId: 'h1', capacity: 1, foo: 1 }, says: 'foo' },
    { host: { hostId: 'h1', capacity: 1, onSuperseded: 'x' }, says: 'expected a function' },
  ])('and of a host cannot be $host: $says', async ({ host, says }) => {
    const transport = createSupabaseTransport({ client, officeId: 'acme' });
    const error = await expectError(transport.host(host as unknown as HostOptions), 'invalid_argument');
    expect(error.message).toContain(says);
    await transport.close();
  });
});
