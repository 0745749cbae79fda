import type { SemoError } from '@semo-office/core';

import type { EventBatch } from './event-repository.ts';

/** Events on their way, not numbered yet. */
export type UnnumberedBatch = Omit<EventBatch, 'seq'>;

/** What refuses every batch, whatever is in it, and may be over later. */
const OF_THE_MOMENT: ReadonlySet<SemoError['code']> = new Set([
  'host_lost',
  'lease_lost',
  'sign_in_refused',
  'store_unusable',
]);

/** Whether a batch was refused for what is in it: the same one would be refused again. Pure. */
export function isRefusedForContent({ code }: SemoError): boolean {
  return !OF_THE_MOMENT.has(code);
}

/** Each of a batch by itself; none where it is one thing already. Pure. */
export function singly({ events, infos, droppedBytes }: UnnumberedBatch): UnnumberedBatch[] {
  if (events.length + infos.length < 2) return [];
  const alone = [
    ...events.map((event) => ({ events: [event], infos: [] })),
    ...infos.map((info) => ({ events: [], infos: [info] })),
  ];
  return alone.map((one, place) => ({ ...one, droppedBytes: place === 0 ? droppedBytes : 0 }));
}
