import { SemoError } from '@semo-office/core';
import { expect, it, vi } from 'vitest';

import { toldOnce } from '../src/told-once.ts';

it('tells a problem once, and another one like it again', () => {
  const told: SemoError[] = [];
  const tell = toldOnce((problem) => told.push(problem));
  const [one, other] = [new SemoError('host_lost', 'away'), new SemoError('host_lost', 'away')];
  for (const problem of [one, one, other, one]) tell(problem);
  expect(told).toEqual([one, other]);
});

it('goes on where whoever is told throws, and prints what', () => {
  const printed = vi.spyOn(console, 'error').mockReturnValue();
  const bug = new Error('a bug of whoever listens');
  const tell = toldOnce(() => {
    throw bug;
  });
  const problem = new SemoError('host_lost', 'away');
  for (let count = 0; count < 2; count += 1) tell(problem);
  expect(printed.mock.calls).toEqual([[expect.any(String), bug]]);
  printed.mockRestore();
});
