import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  startModelServer,
  temporaryFolder,
  type GitRepository,
  type ModelServer,
} from '@semo-office/testbed';
import { openLocalOffice, type JobRecord, type JobResult, type Office } from 'semo-office';

import { table } from '../two-agents/table.ts';
import { CREW, DAY } from './crew.ts';
import { dayScript, isMidway } from './model-script.ts';

/** How the day is run. */
export interface DayOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => unknown;
}

/** The day of a small crew: six jobs, one crash, one limit. Resolves with the exit status. */
export async function runDay({ env, write }: DayOptions): Promise<number> {
  await using repository = await createGitRepository({ files: { 'README.md': '# Greetings\n' } });
  await using folders = await temporaryFolder('semo-day-');
  await using model = await startModelServer({ script: dayScript() });
  const office = await openLocalOffice({
    store: `${folders.path}/office.sqlite`,
    stateDir: `${folders.path}/state`,
    repositories: { greetings: repository.path },
    agents: CREW,
    hostEnv: dayEnvironment(model, folders.path),
    claude: { binary: env['SEMO_CLAUDE_BIN'] ?? claudeBinary() },
  });
  try {
    tell(office, write);
    await office.ready();
    write(`${(await office.status()).pool.warmIdle} agents are ready, and ${DAY.length} jobs come in.\n`);
    const jobs = await Promise.all(DAY.map((job) => office.submitJob(job)));
    const [done] = await Promise.all([
      Promise.all(jobs.map(async (job) => ({ job, result: await office.waitForJob(job.jobId) }))),
      killMidway(office, model),
    ]);
    const rows = await Promise.all(done.map(({ job, result }) => row(job, result, repository)));
    write(`\n${table(rows)}\n`);
    return done.every(({ result }) => result.outcome === 'completed') ? 0 : 1;
  } finally {
    await office.close();
  }
}

/** Shows what becomes of the jobs. */
function tell(office: Office, write: DayOptions['write']): void {
  const startedAt = Date.now();
  const say = (jobId: string, what: string): unknown =>
    write(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${jobId.slice(0, 12)}  ${what}\n`);
  office.on('started', ({ job: { jobId, spec } }) => say(jobId, `${spec.agentId} begins ${spec.work?.taskId}`));
  office.on('attempt', ({ jobId, attempt: { reason, outcome, error } }) => {
    if (outcome !== null && outcome !== 'completed') say(jobId, `attempt (${reason}) ${outcome}: ${error?.code}`);
  });
  office.on('waiting', ({ jobId, wait }) => say(jobId, `waits for the ${wait.for}`));
  office.on('ended', ({ jobId, result }) => say(jobId, result.outcome));
}

/** What happens on a bad day: the agent is gone in the middle of its work. */
async function killMidway(office: Office, model: ModelServer): Promise<void> {
  await model.waitForRequest(isMidway);
  const [job] = (await office.listJobs({ agentId: 'BE' })).filter(({ spec }) => spec.work?.taskId === 'health');
  const sessionId = job?.attempts.at(-1)?.sessionId ?? '';
  const pid = Number((await office.sessions.get(sessionId))?.terminalId);
  if (Number.isInteger(pid) && pid > 1) process.kill(pid, 'SIGKILL');
}

async function row(
  { spec }: JobRecord,
  result: JobResult | undefined,
  repository: GitRepository,
): Promise<Record<string, string>> {
  const branch = `agent/${spec.agentId}/${spec.work?.taskId}`;
  const commit = await repository.git(['log', '--format=%h %s', `main..${branch}`]).catch(() => 'none');
  return {
    job: `${spec.agentId} ${spec.work?.taskId}`,
    outcome: result?.outcome ?? 'none',
    attempts: result?.attempts.map(({ reason }) => reason).join(', ') ?? 'none',
    commit,
    branch,
    took: `${((result?.durationMs ?? 0) / 1000).toFixed(1)} s`,
  };
}

/** Nothing of the machine's own but the PATH. Limits with a time of their own are only told to those with a token. */
function dayEnvironment(model: ModelServer, home: string): Record<string, string | undefined> {
  return {
    HOME: home,
    ...agentEnvironment(model, { maxRetries: 0 }),
    ANTHROPIC_API_KEY: undefined,
    CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-of-an-example-00000000000',
  };
}
