import type { SemoError } from '@semo-office/core';

import { guarded } from './guarded.ts';

/**
 * Tells of each problem once, however many come upon it: that there is no token is one problem of all who need one. Who tells
 * goes on with its work, so what the listener throws does not reach it.
 */
export function toldOnce(tell: (problem: SemoError) => void): (problem: SemoError) => void {
  const tellGuarded = guarded(tell);
  const told = new WeakSet<SemoError>();
  return (problem) => {
    if (told.has(problem)) return;
    told.add(problem);
    tellGuarded(problem);
  };
}
