import { EventHub } from '@semo-office/core';

/** Calls a function of whoever uses us, as a listener is called: what it throws is printed, and hurts nobody. */
export function guarded<Told>(listener: (told: Told) => void): (told: Told) => void {
  const hub = new EventHub<{ told: Told }>();
  hub.on('told', listener);
  return (told) => hub.emit('told', told);
}
