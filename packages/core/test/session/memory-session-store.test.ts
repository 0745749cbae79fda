import { describeSessionStoreContract } from '../../testing/index.ts';
import { memorySessionStore } from '../../src/index.ts';

describeSessionStoreContract('in memory', async () => ({ store: memorySessionStore() }));
