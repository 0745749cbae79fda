import { SemoError } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { successionIn } from '../../src/host/succession.ts';

const own = { hostId: 'h1', instance: 'us' };
const lost = (details: Record<string, unknown>) => new SemoError('lease_lost', 'Not yours.', { details });

describe('successionIn', () => {
  it('is where another process is there by that name', () => {
    const why = successionIn(lost({ state: 'online', instance: 'them', latestEpoch: 7 }), own);
    expect(why).toMatchObject({ code: 'lease_lost', retryable: false, details: { latestEpoch: 7, superseded: true } });
  });

  it.each([
    { what: 'the host was given up', refusal: lost({ state: 'lost', instance: 'us', latestEpoch: 7 }) },
    { what: 'so was its successor', refusal: lost({ state: 'lost', instance: 'them', latestEpoch: 7 }) },
    {
      what: 'its own registration was never heard of',
      refusal: lost({ state: 'online', instance: 'us', latestEpoch: 7 }),
    },
    { what: 'the host was forgotten', refusal: lost({ state: null, instance: null, latestEpoch: null }) },
    { what: 'a command is lost', refusal: lost({ commandId: 'cmd_1', status: 'dead' }) },
    { what: 'it is another refusal', refusal: new SemoError('host_lost', 'No.', { details: { state: 'online' } }) },
  ])('is not where $what', ({ refusal }) => {
    expect(successionIn(refusal, own)).toBeNull();
  });
});
