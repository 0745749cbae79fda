export { main } from './semo.ts';
export { processIo } from './cli-io.ts';
export type { CliIo } from './cli-io.ts';
