import { createProcProcessTable } from './proc-process-table.ts';
import type { ProcessTable } from './process-table.ts';
import { createPsProcessTable } from './ps-process-table.ts';

/** This machine's processes: from `/proc` on Linux, from `ps` elsewhere. */
export const systemProcessTable: ProcessTable =
  process.platform === 'linux' ? createProcProcessTable() : createPsProcessTable();
