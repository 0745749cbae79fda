import {
  SemoError,
  createLocalOffice,
  isSemoError,
  joinOffice,
  turnError,
  type JobResult,
  type Office,
  type RunLine,
} from 'semo-office';

import type { CliIo } from '../cli-io.ts';
import { readRunArguments, wantsJson, type RunRequest } from '../run-arguments.ts';
import { createRunReport } from '../run-report.ts';
import { exitStatus } from '../usage.ts';

/**
 * `semo run`: one job in an embedded office, or on a host. Resolves with the exit status.
 */
export async function runCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const report = createRunReport(io, { json: wantsJson(argv) });
  const startedAt = Date.now();
  try {
    const result = await runJob(await readRunArguments(argv, io), io, (line) => report.line(line));
    return exitStatus(result);
  } catch (thrown) {
    const result = refusal(SemoError.from(thrown), startedAt);
    report.line({ type: 'result', at: Date.now(), ...result });
    if (isSemoError(thrown, 'invalid_argument')) io.stderr('Try: semo --help\n');
    return exitStatus(result);
  } finally {
    report.close();
  }
}

async function runJob(
  { job, socket, repository }: RunRequest,
  io: CliIo,
  onLine: (line: RunLine) => void,
): Promise<JobResult> {
  const { signal, release } = io.interruption();
  const office = await openOffice({ socket, repository }, io);
  try {
    if ('useLogin' in job.session.agent && job.session.agent.useLogin === true) {
      io.stderr("Using this machine's own login: one session at a time, on your own configuration home.\n");
    }
    return await office.executeJob(job, { signal, onLine });
  } finally {
    await office.close();
    release();
  }
}

async function openOffice(
  { socket, repository }: Pick<RunRequest, 'socket' | 'repository'>,
  io: CliIo,
): Promise<Office> {
  if (socket !== null) return joinOffice({ socketPath: socket });
  return createLocalOffice({
    hostEnv: io.env,
    ...(repository === null
      ? {}
      : { repositories: { [repository.id]: repository.path }, worktreeRoot: repository.worktreeRoot }),
  });
}

/** The result of a job that could not begin. */
function refusal(error: SemoError, startedAt: number): JobResult {
  return {
    outcome: 'failed',
    confidence: 'certain',
    text: '',
    milestones: [],
    evidence: [],
    attempts: [],
    sessionId: '',
    workspace: null,
    durationMs: Date.now() - startedAt,
    error: { ...turnError(error.code, error.message), class: error.class, retryable: error.retryable },
  };
}
