import {
  SINGLE_ATTEMPT_POLICY,
  SemoError,
  createLocalOffice,
  isSemoError,
  joinOffice,
  memorySessionStore,
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
  // From the very first moment: also while the prompt is being read from standard input.
  const { signal, release } = io.interruption();
  try {
    const request = await Promise.race([readRunArguments(argv, io), interrupted(signal)]);
    const result = await runJob(request, io, { signal, onLine: (line) => report.line(line) });
    tellConversation(request, result, io);
    return exitStatus(result);
  } catch (thrown) {
    const result = refusal(SemoError.from(thrown), startedAt);
    report.line({ type: 'result', at: Date.now(), ...result });
    if (isSemoError(thrown, 'invalid_argument')) io.stderr('Try: semo --help\n');
    return exitStatus(result);
  } finally {
    report.close();
    release();
  }
}

/** Whoever keeps a conversation needs its id. With `--json` it is in the result too. */
function tellConversation({ job }: RunRequest, { conversationId }: JobResult, io: CliIo): void {
  const { agent } = job.session;
  if (!('keepConversation' in agent) || agent.keepConversation !== true || conversationId === null) return;
  io.stderr(`The conversation was kept. Go on with it: --resume ${conversationId}\n`);
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = () => {
      reject(new SemoError('aborted', 'The command was interrupted before the job began.'));
    };
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
}

async function runJob(
  request: RunRequest,
  io: CliIo,
  options: { readonly signal: AbortSignal; readonly onLine: (line: RunLine) => void },
): Promise<JobResult> {
  const { job } = request;
  const office = await openOffice(request, io, options.signal);
  try {
    if ('useLogin' in job.session.agent && job.session.agent.useLogin === true) {
      io.stderr("Using this machine's own login: one session at a time, on your own configuration home.\n");
    }
    return await office.executeJob(job, options);
  } finally {
    await office.close();
  }
}

async function openOffice(
  { job, socket, repository, rules }: RunRequest,
  io: CliIo,
  signal: AbortSignal,
): Promise<Office> {
  // Others may have sessions on the same host; their requests are none of ours.
  const concerns = ({ sessionId }: { readonly sessionId: string }) => sessionId === job.session.sessionId;
  const requests = rules === null ? undefined : { rules, concerns };
  // Whoever sits at the shell decides what comes after a failure.
  const common = { requests, policy: SINGLE_ATTEMPT_POLICY, pool: { createAttempts: 1 }, hostPatienceMs: 0 };
  if (socket !== null) return joinOffice({ socketPath: socket, signal, ...common });
  return createLocalOffice({
    hostEnv: io.env,
    // They see for themselves whether there is room for it.
    memory: false,
    ...common,
    // Whoever gave the job waits for it here, and nobody comes back for it.
    sessionStore: memorySessionStore(),
    ...(repository === null
      ? {}
      : { repositories: { [repository.id]: repository.path }, worktreeRoot: repository.worktreeRoot }),
  });
}

/** The result of a job that could not begin. */
function refusal(error: SemoError, startedAt: number): JobResult {
  return {
    outcome: error.class === 'cancelled' ? 'cancelled' : 'failed',
    confidence: 'certain',
    text: '',
    milestones: [],
    evidence: [],
    attempts: [],
    sessionId: '',
    conversationId: null,
    workspace: null,
    durationMs: Date.now() - startedAt,
    error: { ...turnError(error.code, error.message), class: error.class, retryable: error.retryable },
  };
}
