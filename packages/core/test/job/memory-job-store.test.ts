import { FakeClock, describeJobStoreContract } from '../../testing/index.ts';
import { memoryJobStore } from '../../src/index.ts';

describeJobStoreContract('in memory', async () => {
  const clock = new FakeClock();
  return { store: memoryJobStore({ clock }), pass: (ms) => clock.advance(ms) };
});
