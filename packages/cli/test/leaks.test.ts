import { describe, expect, it } from 'vitest';

import { leakMix } from '../../../bench/leaks/leak-mix.ts';

describe.runIf(process.platform === 'linux')('runs of the real CLI, however they end', () => {
  // `npm run leaks` does the same a hundred times.
  it('leave no process and no file behind', { timeout: 240_000 }, async () => {
    const { failures, lateHelpers, processes, files } = await leakMix({ count: 10, lanes: 2 });
    expect({ failures, lateHelpers, processes, files }).toEqual({
      failures: [],
      lateHelpers: [],
      processes: [],
      files: [],
    });
  });
});
