import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CONTAINMENT_LEVELS,
  SemoError,
  createPtySessionManager,
  listenOnSocket,
  serveSessions,
  type ContainmentLevel,
  type PtySessionManagerOptions,
  type SweepReport,
} from 'semo-office';

import type { CliIo } from '../cli-io.ts';

interface HostRequest {
  readonly socket: string;
  readonly sessions: PtySessionManagerOptions;
}

/**
 * `semo host`: runs sessions and serves them to offices on this machine, until it is told to stop; then it ends them all.
 */
export async function hostCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const { signal, release } = io.interruption();
  try {
    const { socket, sessions: options } = hostRequest(argv, io);
    const link = await listenOnSocket({ path: socket });
    const sessions = createPtySessionManager({
      ...options,
      hostEnv: io.env,
      onSweep: (report) => tellSweep(report, io),
    });
    const served = serveSessions(link, sessions);
    // What an earlier host left behind is taken up or gone before anybody is served.
    await sessions.list();
    io.stdout(`${JSON.stringify({ type: 'ready', at: Date.now(), socket })}\n`);
    await aborted(signal);
    await served.close();
    await link.close();
    await sessions.close();
    return 0;
  } catch (thrown) {
    const { code, message } = SemoError.from(thrown);
    io.stderr(`${message}\n`);
    return code === 'invalid_argument' ? 2 : 1;
  } finally {
    release();
  }
}

/** What hosts before this one have left, for whoever reads the log. */
function tellSweep({ swept, takenUp, leftAlone, worktrees }: SweepReport, io: CliIo): void {
  for (const { sessionId } of takenUp) io.stderr(`Goes on with session ${sessionId} of a host that is gone.\n`);
  for (const { sessionId, reason, killed, keptWorktree, faults } of swept) {
    const why = reason === null ? '' : ` It could not be gone on with: ${reason}`;
    const kept = keptWorktree === null ? '' : ` Its worktree ${keptWorktree.path} was kept: ${keptWorktree.reason}`;
    io.stderr(
      `Cleared up after session ${sessionId}: ${killed} processes ended.${why}${kept}${faults.map((fault) => ` ${fault}`).join('')}\n`,
    );
  }
  for (const { sessionId, reason } of leftAlone) io.stderr(`Left session ${sessionId} alone: ${reason}\n`);
  for (const { path } of worktrees?.removed ?? [])
    io.stderr(`Removed the worktree ${path}: nothing is to be lost in it any more.\n`);
  const told = new Set(swept.map(({ keptWorktree }) => keptWorktree?.path));
  for (const { path, reason } of worktrees?.kept ?? [])
    if (!told.has(path)) io.stderr(`The worktree ${path} is still kept: ${reason}\n`);
  for (const fault of worktrees?.faults ?? []) io.stderr(`${fault}\n`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

function hostRequest(argv: readonly string[], io: CliIo): HostRequest {
  const { socket, root, repo, worktrees, containment, terminal } = parse(argv);
  if (socket === undefined) throw new SemoError('invalid_argument', 'Say where to listen: semo host --socket PATH.');
  const repositories = (repo ?? []).map((entry) => {
    const at = entry.indexOf('=');
    if (at < 1) throw new SemoError('invalid_argument', `--repo takes ID=PATH, not ${JSON.stringify(entry)}.`);
    return [entry.slice(0, at), resolve(io.cwd, entry.slice(at + 1))];
  });
  return {
    socket: resolve(io.cwd, socket),
    sessions: {
      repositories: Object.fromEntries(repositories) as Record<string, string>,
      ...(root === undefined ? {} : { allowedRoots: root.map((folder) => resolve(io.cwd, folder)) }),
      ...(containment === undefined ? {} : { containment: { default: level(containment) } }),
      ...(terminal === undefined ? {} : { terminal: terminalKind(terminal) }),
      ...(worktrees === undefined ? {} : { worktreeRoot: resolve(io.cwd, worktrees) }),
    },
  };
}

function level(name: string): 'best' | ContainmentLevel {
  const known = ['best', ...CONTAINMENT_LEVELS] as const;
  const found = known.find((each) => each === name);
  if (found !== undefined) return found;
  throw new SemoError('invalid_argument', `--containment is one of ${known.join(', ')}, not ${JSON.stringify(name)}.`);
}

function terminalKind(name: string): 'pty' | 'tmux' {
  if (name === 'pty' || name === 'tmux') return name;
  throw new SemoError('invalid_argument', `--terminal is pty or tmux, not ${JSON.stringify(name)}.`);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        socket: { type: 'string' },
        root: { type: 'string', multiple: true },
        repo: { type: 'string', multiple: true },
        worktrees: { type: 'string' },
        containment: { type: 'string' },
        terminal: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new SemoError('invalid_argument', SemoError.from(error).message, { cause: error });
  }
}
