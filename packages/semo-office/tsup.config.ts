import { defineConfig } from 'tsup';
import { esmPackage } from '../../tsup.base.ts';

export default defineConfig(
  esmPackage({ index: 'src/index.ts', supabase: 'src/supabase/index.ts', telemetry: 'src/telemetry/index.ts' }),
);
