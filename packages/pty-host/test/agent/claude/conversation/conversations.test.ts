import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeClock } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, vi } from 'vitest';

import { ClaudeConversations } from '../../../../src/agent/claude/conversation/conversations.ts';
import { lockConversation } from '../../../../src/agent/claude/conversation/conversation-locks.ts';
import { outlivedConversations } from '../../../../src/agent/claude/conversation/kept-conversations.ts';
import { systemProcessTable as table } from '../../../../src/process/system-process-table.ts';

const id = (digit: number): string => `00000000-0000-4000-8000-${String(digit).padStart(12, '0')}`;
const KEEP = { keepConversation: true };
const DAY_MS = 24 * 3_600_000;

describe('the conversation of a living session', () => {
  it('is nobody else’s, whoever else keeps conversations there', async () => {
    await using folder = await temporaryFolder();
    const [here, there] = [new ClaudeConversations(folder.path), new ClaudeConversations(folder.path)];
    const hold = await here.hold({ resume: id(1) });
    await expect(here.hold({ resume: id(1) })).rejects.toMatchObject({ code: 'session_busy' });
    await expect(there.hold({ resume: id(1) })).rejects.toMatchObject({ code: 'session_busy' });
    await hold.release();
    await (await there.hold({ resume: id(1) })).release();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('is the one it has come to, and no longer the one before', async () => {
    await using folder = await temporaryFolder();
    const conversations = new ClaudeConversations(folder.path);
    const hold = await conversations.hold(KEEP);
    for (const next of [id(1), id(1), '../outside', id(2)]) hold.moveTo(next);
    const locks = join(folder.path, '.locks');
    await vi.waitFor(async () => expect(await readdir(locks)).toEqual([id(2)]), 10_000);
    await (await conversations.hold({ resume: id(1) })).release();
    await expect(conversations.hold({ resume: id(2) })).rejects.toMatchObject({ code: 'session_busy' });
    await hold.release();
    await (await conversations.hold({ resume: id(2) })).release();
  });

  it('is free when the process that had it has died, and not before', async () => {
    await using folder = await temporaryFolder();
    const conversations = new ClaudeConversations(folder.path);
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(other, 'spawn');
    const { pid = 0 } = other;
    const { startTime } = table.find(pid)!;
    await mkdir(join(folder.path, '.locks'));
    const holder = { pid, startTime, hostname: table.machine.hostname, nonce: 'n' };
    await writeFile(join(folder.path, '.locks', id(1)), JSON.stringify(holder));
    await expect(conversations.hold({ resume: id(1) })).rejects.toMatchObject({ code: 'session_busy' });
    const exit = once(other, 'exit');
    other.kill('SIGKILL');
    await exit;
    await (await conversations.hold({ resume: id(1) })).release();
  });

  it('is not looked at where none is kept, or the login of the machine is used', async () => {
    await using folder = await temporaryFolder();
    const conversations = new ClaudeConversations(folder.path);
    const hold = await conversations.hold({ resume: id(1), useLogin: true });
    await conversations.hold({ resume: id(1), useLogin: true });
    (await conversations.hold({})).moveTo(id(2));
    await hold.release();
    await (await new ClaudeConversations(undefined).hold(KEEP)).release();
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe('kept conversations', () => {
  const kept = (digit: number, changedAt: number) => ({ id: id(digit), project: '/p', changedAt });

  it.each([
    { what: 'too old', limits: { maxAgeMs: 10 }, gone: [2, 3] },
    { what: 'too many', limits: { maxCount: 1 }, gone: [1, 2, 3] },
    { what: 'both', limits: { maxAgeMs: 60, maxCount: 3 }, gone: [3] },
    { what: 'neither', limits: {}, gone: [] },
  ])('are outlived where they are $what', ({ limits, gone }) => {
    const all = [kept(3, 20), kept(1, 95), kept(0, 100), kept(2, 80)];
    const outlived = outlivedConversations(all, { ...limits, now: 100 }).map((one) => one.id);
    expect(outlived).toEqual(gone.map(id));
  });

  it('are removed when a session has ended, but none that another has', async () => {
    await using folder = await temporaryFolder();
    const clock = new FakeClock(100 * DAY_MS);
    const write = async (project: string, digit: number, ageDays: number) => {
      await mkdir(join(folder.path, project, id(digit)), { recursive: true });
      await writeFile(join(folder.path, project, id(digit), 'result.txt'), 'long');
      const file = join(folder.path, project, `${id(digit)}.jsonl`);
      await writeFile(file, '{}\n');
      const seconds = (clock.now() - ageDays * DAY_MS) / 1000;
      await utimes(file, seconds, seconds);
    };
    await write('-work', 1, 1);
    await write('-work', 2, 31);
    await write('-work', 3, 40);
    await write('-gone', 4, 50);
    await writeFile(join(folder.path, '-work', 'notes.jsonl'), 'not a conversation');
    const conversations = new ClaudeConversations(folder.path, { clock });
    const living = await lockConversation(folder.path, id(3));
    await (await conversations.hold(KEEP)).release();
    expect((await readdir(join(folder.path, '-work'))).toSorted()).toEqual(
      [id(1), `${id(1)}.jsonl`, id(3), `${id(3)}.jsonl`, 'notes.jsonl'].toSorted(),
    );
    await expect(access(join(folder.path, '-gone'))).rejects.toThrow('ENOENT');
    await living?.();
    await (await new ClaudeConversations(folder.path, { clock, maxCount: 0 }).hold(KEEP)).release();
    expect(await readdir(join(folder.path, '-work'))).toEqual(['notes.jsonl']);
    expect(await readdir(folder.path)).toEqual(['-work']);
  });
});
