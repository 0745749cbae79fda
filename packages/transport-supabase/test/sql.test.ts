import { afterAll, beforeAll, describe } from 'vitest';

import { describeAccess } from './sql/access.ts';
import { describeClaim } from './sql/claim.ts';
import { describeEnqueue } from './sql/enqueue.ts';
import { describeHosts } from './sql/hosts.ts';
import { describeRealtime } from './sql/realtime.ts';
import { describeStores } from './sql/stores.ts';
import { startStage, type Stage } from './sql/stage.ts';

// One server for all parts: each test has an office of its own in it.
describe('SQL', () => {
  let stage: Stage;
  const started = (): Stage => stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  describeHosts(started);
  describeEnqueue(started);
  describeClaim(started);
  describeStores(started);
  describeAccess(started);
  describeRealtime(started);
});
