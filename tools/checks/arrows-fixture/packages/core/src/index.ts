import '@semo-office/pty-host';
import 'node:fs';
import '../testing/index.ts';
import '../../../tools/testbed/src/index.ts';
import './nowhere.ts';
export type { Cycle } from './cycle.ts';
export const ground = 1;
