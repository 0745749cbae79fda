// The scripted model in a process of its own, so that what it remembers is not taken for ours. Tells its address, and ends
// with whoever started it.
import { startModelServer, type ModelRequest } from '@semo-office/testbed';

import { answer } from './crowd/numbered-jobs.ts';

const model = await startModelServer({
  script(request) {
    // Nobody asks for what there was; of a long run it would be gigabytes.
    (model.requests as ModelRequest[]).splice(0, model.requests.length - 100);
    return answer(request);
  },
});
process.on('disconnect', () => process.exit());
process.send?.(model.url);
