// npm run build && node examples/crew-office/main.ts    the model is scripted: no account, no network
import { runDay } from './day.ts';

process.exitCode = await runDay({ env: process.env, write: (text) => process.stdout.write(text) });
