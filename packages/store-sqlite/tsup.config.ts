import { defineConfig } from 'tsup';
import { esmPackage } from '../../tsup.base.ts';

// The worker is a file of its own: it is started by its path.
export default defineConfig(esmPackage({ index: 'src/index.ts', 'store-worker': 'src/store-worker.ts' }));
