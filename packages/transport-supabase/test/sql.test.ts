import { afterAll, beforeAll, describe } from 'vitest';

import { describeClaim } from './sql/claim.ts';
import { describeCrowd } from './sql/crowd.ts';
import { describeDeadLetters } from './sql/dead-letters.ts';
import { describeEnqueue } from './sql/enqueue.ts';
import { describeEvents } from './sql/events.ts';
import { describeGrants } from './sql/grants.ts';
import { describeHistory } from './sql/history.ts';
import { describeHosts } from './sql/hosts.ts';
import { describeIsolation } from './sql/isolation.ts';
import { describeLoss } from './sql/loss.ts';
import { describePgtap } from './sql/pgtap.ts';
import { describeRealtime } from './sql/realtime.ts';
import { describeRetention } from './sql/retention.ts';
import { describeOwnership } from './sql/ownership.ts';
import { describeSessions } from './sql/sessions.ts';
import { describeStores } from './sql/stores.ts';
import { startStage, type Stage } from './sql/stage.ts';
import { describeDatabaseDrift } from './sql/database-drift.ts';

// One server for all parts: each test has an office of its own in it.
describe('SQL', () => {
  let stage: Stage;
  const started = (): Stage => stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  // First: its plans are to be made while there is nothing.
  describeHistory(started);
  describeHosts(started);
  describeEnqueue(started);
  describeClaim(started);
  describeDeadLetters(started);
  describeSessions(started);
  describeStores(started);
  describeEvents(started);
  describeLoss(started);
  describeRetention(started);
  describeCrowd(started);
  describeGrants(started);
  describeIsolation(started);
  describeOwnership(started);
  describePgtap(started);
  describeDatabaseDrift(started);
  describeRealtime(started);
});
