import { memoryAdmission, type Admission } from '@semo-office/core';
import { machineMemory } from '@semo-office/pty-host';

const MEBIBYTE = 1024 ** 2;
const DEFAULT_SESSION_BYTES = 600 * MEBIBYTE;
const LARGEST_DEFAULT_FLOOR = 1024 * MEBIBYTE;
/** On a small machine the floor is a part of what there is, so that something can be opened at all. */
const FLOOR_SHARE = 8;

/** What a session takes, and what is left to the rest of the machine; all sizes in bytes. */
export interface OfficeMemory {
  /** What must stay free. Default 1 GiB, or an eighth of the machine's memory if that is less. */
  readonly floorBytes?: number | undefined;
  /** What one session is counted with until it shows in the machine's own figures. Default 600 MiB. */
  readonly sessionBytes?: number | undefined;
}

/** Opens a session only if this machine, or the container we are in, has memory for it above the floor. */
export function machineAdmission({ floorBytes, sessionBytes = DEFAULT_SESSION_BYTES }: OfficeMemory = {}): Admission {
  return {
    async admit(request) {
      const { totalBytes, freeBytes } = await machineMemory();
      return memoryAdmission({
        totalBytes,
        freeBytes: async () => freeBytes,
        floorBytes: floorBytes ?? Math.min(LARGEST_DEFAULT_FLOOR, totalBytes / FLOOR_SHARE),
        perSessionBytes: () => sessionBytes,
      }).admit(request);
    },
  };
}
