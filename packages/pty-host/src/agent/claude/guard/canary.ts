import { mkdir, mkdtemp, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SemoError, systemClock } from '@semo-office/core';

import { sendSignal } from '../../../process/process-table.ts';
import { removePrivateFolder } from '../../../process/private-folder.ts';
import { openPipes } from '../../../terminal/pipes.ts';
import { startCanaryModel, type CanaryCall } from './canary-model.ts';
import { claudeState, writeSettings, writeState } from '../config.ts';
import { ClaudeHookListener, type HookEndpoint, type HookInput } from '../hooks/hook-listener.ts';
import { ClaudeScopeGuard } from './scope-guard.ts';

/** A run takes about 0.6 s on an idle machine. */
const RUN_TIMEOUT_MS = 45_000;
const COMPLAINT_CHARACTERS = 500;
const IN_SCOPE = ['inside/**'];
const INSIDE = 'inside/allowed.txt';
const OUTSIDE = 'outside.txt';
/** In scope, but the guard breaks when it is asked of it. */
const BROKEN = 'inside/broken.txt';

/** What is to be proven to hold. */
export interface CanaryOptions {
  readonly binary: string;
  readonly version: string;
  /** The settings a session is given, for its own endpoint. */
  readonly settings: (endpoint: HookEndpoint) => Record<string, unknown>;
  /** The environment the session's agent gets. Its credentials and folders are replaced. */
  readonly env: Readonly<Record<string, string>>;
  /** Where a temporary folder may be made. */
  readonly folder: string;
}

/** What came of a run. */
export interface CanaryFindings {
  /** The files that were written. */
  readonly written: readonly string[];
  /** The files that the guard was asked about. */
  readonly asked: readonly string[];
  /** What the agent said of itself, if it did not end well. */
  readonly complaint: string | null;
}

/**
 * Lets the real agent try to get past the guard of a session, with a model of ours: it is to write a file in scope, not to
 * write one outside, and not to write one when the guard cannot be asked. Nothing of it is left.
 *
 * @throws SemoError `guard_failed`.
 */
export async function runCanary(options: CanaryOptions): Promise<void> {
  const folder = await mkdtemp(join(options.folder, 'canary-'));
  try {
    const fault = canaryFault(await findings(options, folder), options.version);
    if (fault !== null) throw new SemoError('guard_failed', fault);
  } catch (thrown) {
    throw thrown instanceof SemoError && thrown.code === 'guard_failed'
      ? thrown
      : new SemoError('guard_failed', 'Whether the scope holds could not be tried.', { cause: thrown });
  } finally {
    await removePrivateFolder(folder);
  }
}

/** Why the findings do not prove that the guard holds; `null` if they do. Pure. */
export function canaryFault({ written, asked, complaint }: CanaryFindings, version: string): string | null {
  const name = `Claude Code ${version}`;
  const remedy = 'Use another version, or a persona without scopePatterns.';
  if (written.includes(OUTSIDE)) return `${name} changed a file outside the scope when that was tried. ${remedy}`;
  if (written.includes(BROKEN)) {
    return `${name} lets its file tools run when our guard cannot be asked, so the scope would not be kept. ${remedy}`;
  }
  const wasTried = written.includes(INSIDE) && [INSIDE, OUTSIDE, BROKEN].every((file) => asked.includes(file));
  if (wasTried) return null;
  const said = complaint === null || complaint === '' ? '' : ` It said: ${complaint}`;
  return `Whether ${name} keeps to the scope could not be proven. Look for what keeps it from calling hooks or from loopback, such as CLAUDE_CODE_SIMPLE or a proxy in the session's environment.${said}`;
}

async function findings(options: CanaryOptions, folder: string): Promise<CanaryFindings> {
  const [config, work] = [join(folder, 'config'), join(folder, 'work')];
  await Promise.all([mkdir(config), mkdir(join(work, 'inside'), { recursive: true })]);
  const asked: string[] = [];
  const hooks = new ClaudeHookListener();
  const endpoint = await hooks.register(guardedBy(work, asked));
  try {
    const calls = [INSIDE, OUTSIDE, BROKEN].map((file) => writing(join(work, file)));
    await using model = await startCanaryModel(calls);
    const credential = { variable: 'ANTHROPIC_API_KEY', value: 'sk-ant-canary-0000000000000000' } as const;
    await writeState(config, claudeState({ credential, trusted: [work] }));
    const settings = await writeSettings(config, options.settings(endpoint));
    const env = {
      ...canaryEnvironment(options.env, { config, url: model.url }),
      [credential.variable]: credential.value,
    };
    const complaint = await run({ command: [options.binary, ...ARGUMENTS, '--settings', settings], cwd: work, env });
    const files = await Promise.all(
      [INSIDE, OUTSIDE, BROKEN].map(async (file) => ((await exists(work, file)) ? [file] : [])),
    );
    return { written: files.flat(), asked, complaint };
  } finally {
    await hooks.unregister(endpoint);
  }
}

/** The mode that lets most things pass: what holds there holds everywhere. */
const ARGUMENTS = ['--print', 'Write the files.', '--permission-mode', 'bypassPermissions'];

function guardedBy(work: string, asked: string[]): (input: HookInput) => Promise<object> {
  const guard = new ClaudeScopeGuard({ root: work, patterns: IN_SCOPE });
  return async (input) => {
    if (input.hook_event_name !== 'PreToolUse') return {};
    const answer = await guard.answer(input);
    const file = [INSIDE, OUTSIDE, BROKEN].find((one) => JSON.stringify(input.tool_input).includes(basename(one)));
    if (file !== undefined) asked.push(file);
    if (file === BROKEN) throw new SemoError('internal', 'A guard that breaks.');
    return answer;
  };
}

function writing(file: string): CanaryCall {
  return { name: 'Write', input: { file_path: file, content: 'canary' } };
}

/** Variables that would send it to another model than ours or mark it as part of the session, and its folders. */
const REPLACED =
  /^ANTHROPIC_|^CLAUDE_CODE_(?:USE_|OAUTH_TOKEN$|TMPDIR$|MAX_RETRIES$)|^CLAUDE_CONFIG_DIR$|^HOME$|^SEMO_SESSION_ID$/;

/** What a canary takes over of a session's environment. */
export function keptVariables(env: CanaryOptions['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !REPLACED.test(name)));
}

function canaryEnvironment(
  env: CanaryOptions['env'],
  { config, url }: { readonly config: string; readonly url: string },
): Record<string, string> {
  return {
    ...keptVariables(env),
    ANTHROPIC_BASE_URL: url,
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CONFIG_DIR: config,
    CLAUDE_CODE_TMPDIR: config,
    HOME: config,
    ...(process.getuid?.() === 0 ? { IS_SANDBOX: '1' } : {}),
  };
}

/** Runs to its end or to the end of our patience, and ends its whole group. Gives its last words if it did not end well. */
async function run(options: {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<string | null> {
  let said = '';
  const hear = (bytes: Uint8Array) => {
    said = (said + Buffer.from(bytes).toString('utf8')).slice(-COMPLAINT_CHARACTERS);
  };
  const exited = Promise.withResolvers<boolean>();
  const onExit = ({ code }: { readonly code: number | null }) => exited.resolve(code === 0);
  const process = openPipes({ ...options, size: { cols: 80, rows: 24 }, onData: hear, onExit });
  const cancel = systemClock.schedule(RUN_TIMEOUT_MS, () => sendSignal(-process.pid, 'SIGKILL'));
  try {
    process.endInput();
    return (await exited.promise) ? null : said.trim();
  } finally {
    cancel();
    sendSignal(-process.pid, 'SIGKILL');
    process.close();
  }
}

async function exists(folder: string, file: string): Promise<boolean> {
  return stat(join(folder, file)).then(
    () => true,
    () => false,
  );
}
