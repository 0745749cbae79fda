// npm run demo            the model is scripted: no account, no network
// npm run demo -- --live  your own key or token (ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN)
import { parseArgs } from 'node:util';

import { runDemo } from './demo.ts';

const { values } = parseArgs({ options: { live: { type: 'boolean', default: false } } });
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
process.exitCode = await runDemo({
  live: values.live,
  env: process.env,
  output: process.stdout,
  signal: interruption.signal,
});
