import { SemoError } from '@semo-office/core';
import { expect, it } from 'vitest';

import { toldOnce } from '../src/told-once.ts';

it('tells a problem once, and another one like it again', () => {
  const told: SemoError[] = [];
  const tell = toldOnce((problem) => told.push(problem));
  const [one, other] = [new SemoError('host_lost', 'away'), new SemoError('host_lost', 'away')];
  for (const problem of [one, one, other, one]) tell(problem);
  expect(told).toEqual([one, other]);
});
