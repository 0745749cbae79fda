import type { SemoError } from '@semo-office/core';

/** Tells of each problem once, however many come upon it: that there is no token is one problem of all who need one. */
export function toldOnce(tell: (problem: SemoError) => void): (problem: SemoError) => void {
  const told = new WeakSet<SemoError>();
  return (problem) => {
    if (told.has(problem)) return;
    told.add(problem);
    tell(problem);
  };
}
