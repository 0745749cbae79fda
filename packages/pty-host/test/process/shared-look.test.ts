import { describe, expect, it } from 'vitest';

import { sharedLook } from '../../src/process/shared-look.ts';

function looks() {
  const begun: PromiseWithResolvers<number>[] = [];
  const look = sharedLook(() => {
    const answer = Promise.withResolvers<number>();
    begun.push(answer);
    return answer.promise;
  });
  return { begun, look };
}

describe('a shared look', () => {
  it('serves all who ask during another one, and began after they had', async () => {
    const { begun, look } = looks();
    const first = look();
    const others = [look(), look(), look()];
    expect(begun).toHaveLength(1);
    begun[0]!.resolve(1);
    expect(await first).toBe(1);
    await new Promise(setImmediate);
    expect(begun).toHaveLength(2);
    const late = look();
    begun[1]!.resolve(2);
    expect(await Promise.all(others)).toEqual([2, 2, 2]);
    await new Promise(setImmediate);
    begun[2]!.resolve(3);
    expect(await late).toBe(3);
  });

  it('that fails fails for those alone who were given it', async () => {
    const { begun, look } = looks();
    const first = look();
    const second = look();
    begun[0]!.reject(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await new Promise(setImmediate);
    begun[1]!.resolve(2);
    expect(await second).toBe(2);
    const third = look();
    begun[2]!.resolve(3);
    expect(await third).toBe(3);
  });
});
