import { defineConfig } from 'tsup';
import { esmPackage } from '../../tsup.base.ts';

export default defineConfig({
  // The worker is a file of its own: it is started by its path.
  ...esmPackage({ index: 'src/index.ts', 'store-worker': 'src/store-worker.ts' }),
  // There is no `sqlite` without it.
  removeNodeProtocol: false,
});
