import { setTimeout as thinking } from 'node:timers/promises';
import { agentEnvironment, claudeBinary, failWith, say, startModelServer, temporaryFolder } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import { createLocalOffice } from 'semo-office';

const JOBS = 10;
/** How far away the reset is when all jobs have met the limit. */
const RESET_IN_S = 3;

/** A provider whose quota is used up until some time after all jobs have asked. Counts what it is asked. */
function quota() {
  const seen = { refused: 0, after: 0, besideProbe: 0 };
  let resetsAt = Number.POSITIVE_INFINITY;
  const allAsked = Promise.withResolvers<void>();
  const answer = async () => {
    if (Date.now() < resetsAt * 1000) {
      seen.refused += 1;
      if (seen.refused === JOBS) {
        resetsAt = Math.ceil(Date.now() / 1000) + RESET_IN_S;
        allAsked.resolve();
      }
      await allAsked.promise;
      return failWith(429, 'rate_limit_error', {
        headers: {
          'anthropic-ratelimit-unified-status': 'rejected',
          'anthropic-ratelimit-unified-reset': String(resetsAt),
          'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        },
      });
    }
    seen.after += 1;
    if (seen.after > 1) return say('Done.');
    await thinking(500);
    seen.besideProbe = seen.after - 1;
    return say('Done.');
  };
  return { seen, answer };
}

it('ten jobs that meet a used-up quota wait for its reset, send one ahead, and all get done', async () => {
  const { seen, answer } = quota();
  await using model = await startModelServer({ script: answer });
  await using folder = await temporaryFolder('semo-quota-');
  const office = createLocalOffice({
    stateDir: folder.path,
    hostEnv: {
      HOME: folder.path,
      ...agentEnvironment(model, { maxRetries: 2 }),
      ANTHROPIC_API_KEY: undefined,
      CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-of-a-test-0000000000000000',
    },
    claude: { binary: claudeBinary() },
    agents: [{ agentId: 'FE', agent: { kind: 'claude-stream' }, workspace: { kind: 'path', path: folder.path } }],
    pool: { max: JOBS },
    warm: { FE: JOBS },
  });
  try {
    await office.ready();
    const jobs = Array.from({ length: JOBS }, () => office.executeJob({ agentId: 'FE', prompt: 'Say done.' }));
    const outcomes = (await Promise.all(jobs)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(Array(JOBS).fill('completed'));
    // Nobody asks twice before the reset, nor beside the one that goes ahead, nor more than once after that.
    expect(seen).toEqual({ refused: JOBS, besideProbe: 0, after: JOBS });
  } finally {
    await office.close();
  }
}, 120_000);
