import { describeRequestStoreContract } from '../../testing/index.ts';
import { memoryRequestStore } from '../../src/index.ts';

describeRequestStoreContract('in memory', async () => ({ store: memoryRequestStore() }));
