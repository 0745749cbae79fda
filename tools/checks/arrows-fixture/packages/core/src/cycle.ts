import type { ground } from './index.ts';
export type Cycle = typeof ground;
