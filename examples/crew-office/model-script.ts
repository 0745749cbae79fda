import {
  failWith,
  hang,
  lastToolResults,
  promptTexts,
  say,
  useTool,
  type ModelRequest,
  type ModelScript,
} from '@semo-office/testbed';

/** How long the limit lasts that the model's API has today, in seconds. */
const LIMIT_SECONDS = 3;

/** The file that the newest prompt asks for. */
function wantedFile(request: ModelRequest): string {
  return /Write (?<file>\S+),/.exec(promptTexts(request).at(-1) ?? '')?.groups?.['file'] ?? 'nothing.txt';
}

const hasWritten = (request: ModelRequest): boolean =>
  lastToolResults(request).some(({ text }) => text.includes(`written: ${wantedFile(request)}`));

/** Whether a request comes from the agent that is to be killed, in the middle of its job. */
export function isMidway(request: ModelRequest): boolean {
  return request.isMessage && wantedFile(request) === 'api/health.js' && hasWritten(request);
}

/** What the model says all day: write the file, commit it, say so. Everything else is real. */
export function dayScript(): ModelScript {
  let limits = 1;
  let hangs = 1;
  return (request) => {
    const file = wantedFile(request);
    const committed = lastToolResults(request).find(({ text }) => text.includes(`committed: ${file}`));
    if (committed !== undefined) return say(`${file} is there, and committed. [SEMO:DONE]`);
    if (file === 'web/about.html' && limits-- > 0) return usageLimit();
    if (isMidway(request) && hangs-- > 0) return hang({ text: 'Looking at it once more' });
    if (hasWritten(request))
      return bash(`git add --all && git commit -q -m "Add ${file}" && echo "committed: ${file}"`);
    return bash(`mkdir -p "$(dirname ${file})" && echo "${file}" > ${file} && echo "written: ${file}"`);
  };
}

const bash = (command: string) => useTool('Bash', { command, description: 'Work' });

function usageLimit() {
  return failWith(429, 'rate_limit_error', {
    headers: {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(Math.ceil(Date.now() / 1000) + LIMIT_SECONDS),
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    },
  });
}
