import { parseArgs } from 'node:util';
import { SemoError } from 'semo-office';

const OPTIONS = {
  agent: { type: 'string', default: 'claude' },
  exec: { type: 'string' },
  'exec-pipe': { type: 'string' },
  shell: { type: 'string' },
  role: { type: 'string' },
  persona: { type: 'string' },
  workdir: { type: 'string' },
  worktree: { type: 'string' },
  'permission-mode': { type: 'string' },
  model: { type: 'string' },
  'system-prompt': { type: 'string' },
  'append-system-prompt': { type: 'string' },
  'max-turns': { type: 'string' },
  'allowed-tools': { type: 'string', multiple: true },
  'disallowed-tools': { type: 'string', multiple: true },
  'keep-conversation': { type: 'boolean' },
  resume: { type: 'string' },
  timeout: { type: 'string', default: '10m' },
  'max-wall': { type: 'string' },
  'max-output': { type: 'string' },
  env: { type: 'string', multiple: true },
  'prompt-file': { type: 'string' },
  require: { type: 'string' },
  rules: { type: 'string' },
  'complete-on': { type: 'string', multiple: true },
  'end-with-background-tasks': { type: 'boolean', default: false },
  'use-login': { type: 'boolean' },
  containment: { type: 'string' },
  network: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** What the options of `semo run` were given. */
export type RunOptions = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>['values'];

/** Takes the arguments of `semo run` apart. @throws SemoError `invalid_argument`. */
export function parseRunOptions(argv: readonly string[]): {
  readonly values: RunOptions;
  readonly positionals: readonly string[];
} {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new SemoError('invalid_argument', SemoError.from(error).message, { cause: error });
  }
}
