export { observeOffice } from './observe-office.ts';
export type { ObserveOptions } from './observe-office.ts';
