import { arch, availableParallelism, platform, totalmem } from 'node:os';

/** What a machine has to do with figures: nothing else of it is told. */
export interface MachineShape {
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

/** The shape of this machine. */
export function machineShape(): MachineShape {
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${arch()}`,
    node: process.versions.node,
  };
}
