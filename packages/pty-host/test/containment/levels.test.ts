import { randomInt } from 'node:crypto';
import { CONTAINMENT_LEVELS } from '@semo-office/core';
import { describe, expect, it, vi } from 'vitest';

import type { PtySessionManagerOptions } from '../../src/index.ts';
import { alive, containedStage, processesWith, skipped } from './contained-stage.ts';
import { containerScript } from './stand-in-container.ts';

const COMMIT = 'echo work > work.txt && git add work.txt && git commit -qm "Made inside" && git log -1 --format=%s';

/** For the level `container`; the others do without. */
const OPTIONS: PtySessionManagerOptions = { containment: { container: { command: containerScript() } } };

describe.for(CONTAINMENT_LEVELS)('at the level %s', (level) => {
  describe.skipIf(skipped[level] !== '')(`an agent${skipped[level]}`, () => {
    it('commits in a git worktree', async () => {
      await using stage = await containedStage(OPTIONS);
      const { sessionId, containment, workspace } = await stage.open({ level });
      expect(containment.level).toBe(level);
      expect(await stage.run(sessionId, COMMIT)).toContain('Made inside');
      const branch = workspace.branch ?? '';
      expect(await stage.repository.git(['log', '-1', '--format=%s', branch])).toBe('Made inside');
    });

    it('leaves nothing alive, not even a daemon without environment, parent, group or folder', async () => {
      await using stage = await containedStage(OPTIONS);
      const { sessionId } = await stage.open({ level });
      const seconds = `1000.${randomInt(1e9)}`;
      const daemon = `(cd / && setsid env -i sh -c 'sleep ${seconds} & sleep ${seconds}' >/dev/null 2>&1 </dev/null &)`;
      await stage.run(sessionId, daemon);
      const before = await vi.waitFor(async () => {
        const found = await processesWith(`sleep\0${seconds}`);
        expect(found).toHaveLength(2);
        return found;
      }, 20_000);
      await stage.sessions.terminate(sessionId, { graceMs: 500 });
      expect(alive(before)).toEqual([]);
    });

    it('is told as it ended, by status or by signal', async () => {
      await using stage = await containedStage(OPTIONS);
      for (const [command, exit] of [
        ['exit 7', { code: 7, signal: null }],
        ['kill -KILL $$', { code: null, signal: 'SIGKILL' }],
      ] as const) {
        const { sessionId } = await stage.open({ level });
        const { turnId } = await stage.sessions.sendPrompt(sessionId, command);
        await stage.sessions.waitForTurn(sessionId, turnId);
        await stage.sessions.terminate(sessionId);
        expect((await stage.sessions.get(sessionId))?.exit).toEqual(exit);
      }
    });

    it('survives the interruption of its turn', async () => {
      await using stage = await containedStage(OPTIONS);
      const { sessionId } = await stage.open({ level });
      await stage.run(sessionId, 'trap "echo interrupted" INT');
      const seconds = `1000.${randomInt(1e9)}`;
      const { turnId } = await stage.sessions.sendPrompt(sessionId, `sleep ${seconds}`);
      await vi.waitFor(async () => expect(await processesWith(`sleep\0${seconds}`)).toHaveLength(1), 20_000);
      await stage.sessions.cancel(sessionId);
      expect((await stage.sessions.waitForTurn(sessionId, turnId)).state).toMatchObject({ outcome: 'cancelled' });
      expect(await stage.run(sessionId, 'echo "still $((40 + 2))"')).toContain('still 42');
    });
  });
});

describe.skipIf(skipped.pid_namespace !== '')(`the level of a session${skipped.pid_namespace}`, () => {
  it('is by default the namespace, where nothing else changes', async () => {
    await using stage = await containedStage();
    const { sessionId, containment } = await stage.open();
    expect(containment).toMatchObject({ level: 'pid_namespace', guarantees: { process: { kind: 'kernel' } } });
    expect(containment.recognisedBy[0]).toBe('namespace');
    // The agent is the first process after the namespace's own, and sees no process outside.
    expect(await stage.run(sessionId, 'echo "$$ of $(ls /proc | grep -c "^[0-9]")"')).toMatch(/^2 of [2-6]$/m);
    expect(await stage.run(sessionId, `test -e ${stage.home} && echo "home seen"`)).toContain('home seen');
  });

  it('kills at once, by the namespace, what takes no request and no SIGTERM', async () => {
    await using stage = await containedStage();
    const { sessionId } = await stage.open();
    const seconds = `1000.${randomInt(1e9)}`;
    await stage.run(sessionId, `trap "" TERM INT HUP; (trap "" TERM; sleep ${seconds}; sleep ${seconds}) & echo on`);
    const before = await vi.waitFor(async () => {
      const found = await processesWith(`sleep\0${seconds}`);
      expect(found).not.toEqual([]);
      return found;
    }, 20_000);
    await stage.sessions.terminate(sessionId, { graceMs: 50 });
    expect(alive(before)).toEqual([]);
    expect(await processesWith(`sleep\0${seconds}`)).toEqual([]);
  });
});

describe('a level that is not to be had', () => {
  it.each([
    ['not allowed by the host', { allowed: ['process_group'] }, 'sandbox'],
    ['without a command', {}, 'container'],
  ] as const)('is an error that says so, never something weaker: %s', async (_why, containment, level) => {
    await using stage = await containedStage({ containment });
    await expect(stage.open({ level })).rejects.toMatchObject({ code: 'containment_unavailable', class: 'not_found' });
    expect(await stage.repository.git(['worktree', 'list'])).not.toContain('agent/');
  });

  it('of a container whose program is not installed is told too', async () => {
    await using stage = await containedStage({ containment: { container: { command: ['no-such-docker', 'run'] } } });
    await expect(stage.open({ level: 'container' })).rejects.toMatchObject({ code: 'containment_unavailable' });
  });

  it('makes the best one less, and the report says so', async () => {
    await using stage = await containedStage({ containment: { allowed: ['process_group'] } });
    const { level, mayEscape } = (await stage.open({ level: 'best' })).containment;
    expect(level).toBe('process_group');
    expect(mayEscape.at(-1)).toContain('it allows only process_group');
    expect((await stage.open({ level })).containment.mayEscape.join('\n')).not.toContain('allows only');
  });

  it('cannot be the default of a host that forbids it', async () => {
    await expect(
      containedStage({ containment: { default: 'sandbox', allowed: ['process_group'] } }),
    ).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });
});
