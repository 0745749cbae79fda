import {
  claudeBinary,
  createGitRepository,
  isolatedGitEnvironment,
  startModelServer,
  temporaryFolder,
  testbedApiKey,
  type GitRepository,
} from '@semo-office/testbed';
import { createLocalOffice, type JobResult, type Office } from 'semo-office';

import { CREW, type CrewMember } from './crew.ts';
import { demoScript } from './model-script.ts';
import { showProgress, type ProgressOutput } from './progress.ts';
import { table } from './table.ts';

/** How the demo is run. */
export interface DemoOptions {
  /** Use the user's own key or token and the real model. */
  readonly live: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly output: ProgressOutput;
  readonly signal?: AbortSignal;
}

interface Done {
  readonly member: CrewMember;
  readonly result: JobResult;
  /** The commit at the head of the agent's branch, if it made one. */
  readonly commit: string | null;
}

/** Two agents, side by side, each in a worktree of a fresh repository. Resolves with the exit status. */
export async function runDemo({ live, env, output, signal }: DemoOptions): Promise<number> {
  await using repository = await createGitRepository({
    files: { 'README.md': '# Greetings\n', 'package.json': '{ "type": "module" }\n' },
  });
  await using folders = await temporaryFolder('semo-demo-');
  await using model = live ? null : await startModelServer({ script: demoScript() });
  const office = createLocalOffice({
    repositories: { greetings: repository.path },
    stateDir: `${folders.path}/state`,
    hostEnv: live ? env : scriptedEnv(env, model?.url ?? ''),
    claude: { binary: env['SEMO_CLAUDE_BIN'] ?? claudeBinary() },
  });
  try {
    output.write(
      `Two agents at work on ${live ? 'your own account' : 'a scripted model'}, each in a worktree of ${repository.path}\n`,
    );
    const done = await work({ office, repository, output, signal });
    output.write(`\n${table(done.map(row))}\n`);
    return done.every(({ result, commit }) => result.outcome === 'completed' && commit !== null) ? 0 : 1;
  } finally {
    await office.close();
  }
}

async function work({
  office,
  repository,
  output,
  signal,
}: {
  office: Office;
  repository: GitRepository;
  output: ProgressOutput;
  signal: AbortSignal | undefined;
}): Promise<Done[]> {
  const progress = showProgress(
    CREW.map(({ persona }) => persona.role),
    output,
  );
  try {
    return await Promise.all(
      CREW.map(async (member): Promise<Done> => {
        const { persona, branch, prompt } = member;
        const result = await office.executeJob(
          {
            prompt,
            session: {
              agentId: persona.role,
              agent: { kind: 'claude', permissionMode: 'bypassPermissions' },
              workspace: { kind: 'git', repoId: 'greetings', branch, taskId: branch.replace('agent/', '') },
              persona,
            },
            options: { onNeedsPerson: 'interrupt' },
          },
          { signal, onLine: (line) => progress.line(persona.role, line) },
        );
        return { member, result, commit: await newCommit(repository, branch) };
      }),
    );
  } finally {
    progress.close();
  }
}

/** The agents' worktrees are gone by now; their branches keep what they did. */
async function newCommit(repository: GitRepository, branch: string): Promise<string | null> {
  const log = await repository.git(['log', '--format=%h %s', `main..${branch}`]).catch(() => '');
  return log === '' ? null : (log.split('\n')[0] ?? null);
}

function row({ member, result, commit }: Done): Record<string, string> {
  const ending = result.evidence.findLast(({ kind }) => kind !== 'milestone' && kind !== 'progress');
  return {
    agent: `${member.persona.name} (${member.persona.role})`,
    outcome: `${result.outcome}, ${result.confidence}`,
    commit: commit ?? result.error?.message ?? 'none',
    branch: member.branch,
    'ended by': ending === undefined ? 'nothing' : evidenceName(ending),
    took: `${(result.durationMs / 1000).toFixed(1)} s`,
  };
}

function evidenceName(evidence: JobResult['evidence'][number]): string {
  return evidence.kind === 'agent_end'
    ? `agent_end: Stop hook, ${evidence.backgroundTasks} background tasks`
    : evidence.kind;
}

/** Nothing of the machine's own but the PATH; the key is a dummy. */
function scriptedEnv(env: DemoOptions['env'], url: string): Record<string, string> {
  return {
    ...isolatedGitEnvironment,
    PATH: env['PATH'] ?? '/usr/bin:/bin',
    HOME: env['HOME'] ?? '/',
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: testbedApiKey,
  };
}
