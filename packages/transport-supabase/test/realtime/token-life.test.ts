import { describe, expect, it } from 'vitest';

import { tokenLife } from '../../src/realtime/token-life.ts';
import { tokenOf } from './tokens.ts';

const SECOND = 1000;

describe('the life of a token', () => {
  it('is what it says itself, and it is replaced before its end', () => {
    expect(tokenLife(tokenOf({ exp: 3600 }), 0)).toMatchObject({ endsAt: 3_600_000, refreshAt: 3_540_000 });
    expect(tokenLife(tokenOf({ exp: 9 }), 0)).toMatchObject({ endsAt: 9000, refreshAt: 6000 });
    expect(tokenLife('no token at all', 0)).toMatchObject({ endsAt: Number.POSITIVE_INFINITY });
    expect(tokenLife(tokenOf({ iat: 0, exp: 60 }), 50 * SECOND)).toMatchObject({ endsAt: 60_000 });
  });

  it('is the span that it names, from now on, where its end is nothing to go by', () => {
    const token = tokenOf({ iat: 1000, exp: 1060 });
    const [ahead, behind] = [1090 * SECOND, 910 * SECOND];
    expect(tokenLife(token, ahead)).toEqual({
      expiresAt: 1060 * SECOND,
      endsAt: ahead + 60_000,
      refreshAt: ahead + 40_000,
    });
    expect(tokenLife(token, behind)).toMatchObject({ endsAt: behind + 60_000, refreshAt: behind + 40_000 });
    // Of one that names none nobody can say more than that it looks over.
    expect(tokenLife(tokenOf({ exp: 1060 }), ahead)).toMatchObject({ endsAt: 1060 * SECOND, refreshAt: 1060 * SECOND });
  });
});
