import { parentPort, workerData } from 'node:worker_threads';
import { SemoError } from '@semo-office/core';

import { storeTaskSchema } from './store-message.ts';
import { serveStore } from './store-service.ts';

// The thread that has the file. It blocks on the disk, and on other processes that write, so that nobody else has to.
if (parentPort === null) throw new SemoError('internal', 'This file is started by openSqliteStore, as a worker.');
serveStore(storeTaskSchema.parse(workerData).path, parentPort);
