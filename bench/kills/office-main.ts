// An office that is killed: `node office-main.ts '{"socket": …, "store": …, "repository": …, …}'`. Without a socket it is its
// own host. It prints a line once it is at work, and one for each job that has ended; SIGTERM closes it.
import { appendFileSync } from 'node:fs';
import { connectToSocket, createLocalOffice, createOffice, remoteSessions } from 'semo-office';
import type { AgentProfile, Office, OfficeLink } from 'semo-office';
import { openSqliteStore } from '@semo-office/store-sqlite';

/** What the process is told by its one argument. */
export interface OfficeArguments {
  /** `null`: its sessions run in this very process. */
  readonly socket: string | null;
  readonly store: string;
  readonly repository: string;
  readonly worktrees: string;
  /** Where each end is noted. */
  readonly ends: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as OfficeArguments;
const often = 1000;

/** What a killed process costs is an attempt: there are to be enough of them. */
const policy = {
  classes: {
    crash: { kind: 'again', times: often, reason: 'crash' },
    host_lost: { kind: 'again', times: often, reason: 'host_lost' },
  },
  codes: { prompt_not_accepted: { kind: 'again', times: often, reason: 'not_delivered' } },
} as const;

const agents: AgentProfile[] = ['FE', 'BE'].map((agentId) => ({
  agentId,
  agent: { kind: 'claude-stream', permissionMode: 'bypassPermissions' },
  workspace: { kind: 'git', repoId: 'app' },
}));

const { jobs } = await openSqliteStore({ path: options.store });
const office = await open();
office.on('ended', ({ jobId, result }) => appendFileSync(options.ends, `${jobId} ${result.outcome}\n`));
process.once('SIGTERM', () => void office.close().then(() => process.exit(0)));
process.stdout.write('{"type":"ready"}\n');

async function open(): Promise<Office> {
  const shared = {
    agents,
    jobs,
    policy,
    officeId: 'killed',
    warm: { FE: 1 },
    pool: { max: 3 },
    leaseMs: 1500,
    pollMs: 100,
  };
  const { NODE_OPTIONS: _ours, ...hostEnv } = process.env;
  if (options.socket !== null)
    return createOffice({ ...shared, sessions: remoteSessions(await connected(options.socket)) });
  return createLocalOffice({
    ...shared,
    hostEnv,
    repositories: { app: options.repository },
    worktreeRoot: options.worktrees,
  });
}

/** The host may be on its way up. */
async function connected(path: string): Promise<OfficeLink> {
  for (;;) {
    try {
      return await connectToSocket({ path });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
