import { resolve } from 'node:path';
import {
  SemoError,
  milestoneKindSchema,
  compileRules,
  containmentSpecSchema,
  newId,
  parseEdge,
  parsePersona,
  type ErrorCode,
  type JobSpec,
  type MilestoneKind,
  type Persona,
  type RequestRule,
  type SessionLimits,
  type Workspace,
} from 'semo-office';

import { agentSpec } from './agent-arguments.ts';
import type { CliIo } from './cli-io.ts';
import { parseDuration } from './duration.ts';
import { inputFile, inputText } from './input-text.ts';
import { findRepository, type Repository } from './repository.ts';
import { parseRunOptions, type RunOptions } from './run-options.ts';

/** The turn ends as soon as the agent needs a person. */
const NOBODY_ANSWERS = { onNeedsPerson: 'interrupt' } as const;
/** Rules answer at once; what none of them has answered by then needs a person. */
const RULES_ANSWER = { onNeedsPerson: 'wait', requests: { expiresAfterMs: 5000, onExpiry: 'needs_input' } } as const;

/** What `semo run` was asked for. */
export interface RunRequest {
  readonly job: JobSpec & { readonly session: NonNullable<JobSpec['session']> };
  readonly json: boolean;
  /** The host to run on; `null` for this very process. */
  readonly socket: string | null;
  /** The repository of `--worktree` and where its worktrees go. */
  readonly repository: Repository | null;
  /** What answers the agent's requests; `null`: nobody does. */
  readonly rules: readonly RequestRule[] | null;
}

/** Whether the arguments ask for JSON lines, also where they are wrong otherwise. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}

/**
 * Reads the arguments of `semo run`, and the files they name.
 *
 * @throws SemoError `invalid_argument`, `invalid_persona`, `invalid_prompt`, `unknown_agent`.
 */
export async function readRunArguments(argv: readonly string[], io: CliIo): Promise<RunRequest> {
  const { values, positionals } = parseRunOptions(argv);
  const prompt = await readPrompt(values, positionals, io);
  const persona = await readPersona(values, io);
  const rules = await readRules(values, io);
  const repository =
    values.worktree === undefined ? null : await findRepository(resolve(io.cwd, values.workdir ?? '.'));
  const role = values.role ?? persona?.role;
  return {
    json: values.json,
    socket: values.socket === undefined ? null : resolve(io.cwd, values.socket),
    repository,
    rules,
    job: {
      prompt,
      session: {
        sessionId: newId('ses'),
        agent: agentSpec(values),
        workspace: workspace(values, io, { repositoryId: repository?.id, role }),
        environment: environment(values.env ?? []),
        ...containment(values),
        limits: limits(values),
        ...(persona === undefined ? {} : { persona }),
        ...(role === undefined ? {} : { agentId: role }),
      },
      options: {
        timeoutMs: parseDuration(values.timeout),
        ...(rules === null ? NOBODY_ANSWERS : RULES_ANSWER),
        endInput: values['exec-pipe'] !== undefined,
        completeOn: completingMilestones(values['complete-on'] ?? []),
        endWithBackgroundTasks: values['end-with-background-tasks'],
        ...(values.require === undefined ? {} : { require: requirement(values.require) }),
      },
    },
  };
}

async function readPrompt(values: RunOptions, positionals: readonly string[], io: CliIo): Promise<string> {
  const file = values['prompt-file'];
  if (file !== undefined && positionals.length > 0)
    throw new SemoError('invalid_argument', 'Give the prompt as an argument or with --prompt-file, not both.');
  if (file === '-')
    return inputText(await io.readStdin(), { what: 'prompt on standard input', code: 'invalid_prompt' });
  if (file !== undefined) return inputFile(resolve(io.cwd, file), { what: 'prompt file', code: 'invalid_prompt' });
  const [prompt, ...rest] = positionals;
  if (prompt === undefined)
    throw new SemoError(
      'invalid_prompt',
      'There is no prompt. Say what is to be done, as the last argument or with --prompt-file.',
    );
  if (rest.length > 0)
    throw new SemoError(
      'invalid_argument',
      `The prompt must be one argument; put it in quotes. There were ${positionals.length}.`,
    );
  return prompt;
}

async function readPersona({ persona, role }: RunOptions, io: CliIo): Promise<Persona | undefined> {
  if (persona === undefined) return undefined;
  const text = await inputFile(resolve(io.cwd, persona), { what: 'persona', code: 'invalid_persona' });
  const value = readJson(text, { of: persona, code: 'invalid_persona' });
  const withRole = typeof value === 'object' && value !== null && role !== undefined ? { ...value, role } : value;
  return parsePersona(withRole);
}

async function readRules({ rules }: RunOptions, io: CliIo): Promise<readonly RequestRule[] | null> {
  if (rules === undefined) return null;
  const text = await inputFile(resolve(io.cwd, rules), { what: 'file of rules', code: 'invalid_argument' });
  const value = readJson(text, { of: rules, code: 'invalid_argument' }) as readonly RequestRule[];
  compileRules(value);
  return value;
}

function readJson(text: string, { of, code }: { readonly of: string; readonly code: ErrorCode }): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SemoError(code, `${of} is not JSON: ${SemoError.from(error).message}`, { cause: error });
  }
}

function workspace(
  values: RunOptions,
  io: CliIo,
  { repositoryId, role }: { repositoryId: string | undefined; role: string | undefined },
): Workspace {
  if (values.worktree === undefined || repositoryId === undefined)
    return { kind: 'path', path: resolve(io.cwd, values.workdir ?? '.') };
  const taskId = values.worktree
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 64);
  return {
    kind: 'git',
    repoId: repositoryId,
    branch: values.worktree,
    retain: 'changed',
    taskId: taskId === '' ? 'task' : taskId,
    ...(role === undefined ? {} : { role }),
  };
}

function limits(values: RunOptions): SessionLimits {
  const wall = values['max-wall'];
  const output = values['max-output'];
  if (output !== undefined && !/^[1-9]\d{0,14}$/.test(output))
    throw new SemoError('invalid_argument', `--max-output is a number of bytes, not ${JSON.stringify(output)}.`);
  return {
    ...(wall === undefined ? {} : { maxWallMs: parseDuration(wall) }),
    ...(output === undefined ? {} : { maxOutputTotalBytes: Number(output) }),
  };
}

function environment(entries: readonly string[]): { pass: string[]; set: Record<string, string> } {
  const pass = entries.filter((entry) => !entry.includes('='));
  const set = entries
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
  return { pass, set: Object.fromEntries(set) as Record<string, string> };
}

/** Only what was asked for: the host has defaults of its own. */
function containment({
  containment: level,
  network,
}: RunOptions): Pick<NonNullable<JobSpec['session']>, 'containment'> {
  if (level === undefined && network === undefined) return {};
  const asked = { ...(level === undefined ? {} : { level }), ...(network === undefined ? {} : { network }) };
  return { containment: parseEdge(containmentSpecSchema, asked, { what: 'containment' }) };
}

function completingMilestones(values: readonly string[]): MilestoneKind[] {
  const kinds = milestoneKindSchema.exclude(['custom']);
  return values.map((value) => {
    const kind = kinds.safeParse(value);
    if (kind.success) return kind.data;
    throw new SemoError('invalid_argument', `--complete-on is one of ${kinds.options.join(', ')}; it may be repeated.`);
  });
}

function requirement(value: string): 'marker' {
  if (value === 'marker') return value;
  throw new SemoError('invalid_argument', `--require takes "marker", not ${JSON.stringify(value)}.`);
}
