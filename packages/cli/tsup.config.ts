import { defineConfig } from 'tsup';
import { esmPackage } from '../../tsup.base.ts';

export default defineConfig(esmPackage({ main: 'src/main.ts', index: 'src/index.ts' }));
