import { resolve } from 'node:path';
import {
  SemoError,
  milestoneKindSchema,
  parsePersona,
  type JobSpec,
  type MilestoneKind,
  type Persona,
  type Workspace,
} from 'semo-office';

import { agentSpec } from './agent-arguments.ts';
import type { CliIo } from './cli-io.ts';
import { parseDuration } from './duration.ts';
import { inputFile, inputText } from './input-text.ts';
import { findRepository, type Repository } from './repository.ts';
import { parseRunOptions, type RunOptions } from './run-options.ts';

/** What `semo run` was asked for. */
export interface RunRequest {
  readonly job: JobSpec;
  readonly json: boolean;
  /** The host to run on; `null` for this very process. */
  readonly socket: string | null;
  /** The repository of `--worktree` and where its worktrees go. */
  readonly repository: Repository | null;
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
  const repository =
    values.worktree === undefined ? null : await findRepository(resolve(io.cwd, values.workdir ?? '.'));
  const role = values.role ?? persona?.role;
  return {
    json: values.json,
    socket: values.socket === undefined ? null : resolve(io.cwd, values.socket),
    repository,
    job: {
      prompt,
      session: {
        agent: agentSpec(values),
        workspace: workspace(values, io, { repositoryId: repository?.id, role }),
        environment: environment(values.env ?? []),
        ...(persona === undefined ? {} : { persona }),
        ...(role === undefined ? {} : { agentId: role }),
      },
      options: {
        timeoutMs: parseDuration(values.timeout),
        // Nobody is there to answer.
        onNeedsPerson: 'interrupt',
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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SemoError('invalid_persona', `${persona} is not JSON: ${SemoError.from(error).message}`, {
      cause: error,
    });
  }
  const withRole = typeof value === 'object' && value !== null && role !== undefined ? { ...value, role } : value;
  return parsePersona(withRole);
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

function environment(entries: readonly string[]): { pass: string[]; set: Record<string, string> } {
  const pass = entries.filter((entry) => !entry.includes('='));
  const set = entries
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
  return { pass, set: Object.fromEntries(set) as Record<string, string> };
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
