import '../../../packages/cli/src/index.ts';
export const testbed = 1;
