import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, longest first; most of what they do is done by the real CLI. */
const SLOWEST = [
  'packages/pty-host/test/agent/claude/claude-sessions.contract.test.ts',
  'tools/accuracy/test/accuracy.test.ts',
  'packages/pty-host/test/agent/claude/terminal/terminal-driver.test.ts',
  'packages/pty-host/test/recovery/recovery.test.ts',
  'packages/pty-host/test/containment/claude-levels.test.ts',
  'bench/test/measurements.test.ts',
  'tools/accuracy/test/recordings.test.ts',
  'packages/pty-host/test/agent/claude/stream/stream-driver.test.ts',
  'packages/pty-host/test/agent/claude/guard/scope-guard.test.ts',
  'packages/pty-host/test/agent/claude/terminal/witness.test.ts',
  'packages/pty-host/test/agent/claude/terminal/milestones.test.ts',
  'packages/pty-host/test/agent/claude/requests.test.ts',
  'packages/cli/test/leaks.test.ts',
  'packages/cli/test/run-claude.test.ts',
  'packages/cli/test/supabase/host.test.ts',
  'packages/pty-host/test/agent/shell/shell.test.ts',
  'packages/pty-host/test/pty-session-manager.contract.test.ts',
  'examples/test/quota.test.ts',
  'bench/test/kills.test.ts',
  'packages/semo-office/test/office-attempts.test.ts',
].map((path) => resolve(import.meta.dirname, '..', path));

/**
 * Starts the slowest files first. Where nothing is known of earlier runs, as in continuous integration, vitest goes by
 * the size of the files; a short file of many long turns would come last, with nothing beside it.
 */
export default class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = SLOWEST.filter((path) => !existsSync(path));
    if (gone.length > 0) throw new Error(`No longer there, see tools/vitest-sequencer.ts: ${gone.join(', ')}`);
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = SLOWEST.indexOf(moduleId);
      return index === -1 ? SLOWEST.length : index;
    };
    return (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
  }
}
