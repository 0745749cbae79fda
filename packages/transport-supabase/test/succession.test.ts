import type { SemoError } from '@semo-office/core';
import { expectError } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { loseHost } from './fragile-host.ts';
import { PATIENCE, TIMES, hostToken, isGiven } from './project.ts';
import { projectStage } from './project-stage.ts';
import { create, keys } from './scripted-hosts.ts';

const stage = projectStage();
const OFTEN = { leaseMs: 3000 };

describe('two processes by one name', () => {
  it('do not take it back and forth: the later one serves, the other is closed and told why', async () => {
    const office = stage.begin({ times: OFTEN });
    const told: SemoError[] = [];
    const bug = new Error('a bug of whoever listens');
    const printed = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => printed.mockRestore());
    const begin = async (name: string) => {
      const onSuperseded = (why: SemoError) => {
        told.push(why);
        throw bug;
      };
      const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 10, onSuperseded });
      host.serve(async () => ({ success: true, result: name }));
      return host;
    };
    const first = await begin('first');
    const link = office.server.office();
    await link.dispatch(create('ses_1'));
    first.publish({ name: 'status', sessionId: 'ses_1', status: 'executing', at: 0 });
    const drained = expectError(first.drained(), 'lease_lost');
    const second = await begin('second');
    const { epoch } = second;
    await expect.poll(() => told.length, PATIENCE).toBe(1);
    expect(told[0]).toMatchObject({
      code: 'lease_lost',
      details: { hostId: 'h1', latestEpoch: epoch, superseded: true },
    });
    expect(await drained).toBe(told[0]);
    expect(printed.mock.calls).toEqual([[expect.any(String), bug]]);
    expect(() => first.serve(async () => ({ success: true, result: null }))).toThrow('closed');
    await first.close();
    for (let count = 0; count < 3; count += 1)
      expect(await link.dispatch(keys('ses_1'))).toEqual({ success: true, result: 'second' });
    expect(second.epoch).toBe(epoch);
    expect(told).toHaveLength(1);
  });

  it.skipIf(isGiven)('are not seen where a process has not heard of its own registration', async () => {
    const office = stage.begin();
    const { supabase } = stage.project;
    let unheard = 0;
    const client = createClient(supabase.url, supabase.publishableKey, {
      accessToken: async () => hostToken(supabase, { officeId: office.officeId, hostId: 'h1' }),
      global: {
        async fetch(input, init) {
          const answer = await fetch(input, init);
          if (!answer.url.endsWith('/semo_register_host') || unheard !== 1) return answer;
          unheard = 2;
          throw new TypeError('The line was cut.');
        },
      },
    });
    const transport = createSupabaseTransport({
      client,
      officeId: office.officeId,
      realtime: false,
      times: { ...TIMES, ...OFTEN },
    });
    office.closing(() => transport.close());
    const told: SemoError[] = [];
    const host = await transport.host({ hostId: 'h1', capacity: 1, onSuperseded: (why) => told.push(why) });
    const { epoch } = host;
    unheard = 1;
    await loseHost(stage.project, office, 'h1');
    await expect.poll(() => host.epoch, PATIENCE).toBeGreaterThan(epoch + 1);
    expect({ unheard, told }).toEqual({ unheard: 2, told: [] });
  });
});
