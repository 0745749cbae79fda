import type { SweepReport } from 'semo-office';

import type { CliIo } from '../cli-io.ts';

/** What hosts before this one have left, for whoever reads the log. */
export function tellSweep({ swept, takenUp, leftAlone, worktrees }: SweepReport, io: Pick<CliIo, 'stderr'>): void {
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
