// npm run build && node examples/supabase/main.ts    a local Supabase and a scripted model: no account, no network, no Docker
import { runTwoMachines } from './two-machines.ts';

process.exitCode = await runTwoMachines({ write: (text) => process.stdout.write(text) });
