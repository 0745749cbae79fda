import { readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@semo-office/core';
import { expectError } from '@semo-office/core/testing';
import { say, temporaryFolder, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager, type SessionLogOptions } from '../../src/index.ts';
import { RotatingFile } from '../../src/logs/rotating-file.ts';
import { claudeStage } from '../agent/claude/claude-stage.ts';

const SECRET = 'ghp_abcdefghijklmnop1234567890';
type Line = { readonly level: string; readonly msg: string; readonly sessionId: string } & Record<string, unknown>;

/** What a turn of the real CLI, told a secret and telling it, leaves in the log. */
async function logged(level: SessionLogOptions['level']): Promise<{ text: string; lines: Line[]; id: string }> {
  await using logs = await temporaryFolder('semo-logs-');
  const dir = join(logs.path, 'sessions');
  const script = [
    useTool('Bash', { command: `echo the word is kumquat ${SECRET}`, description: 'Test' }),
    say(`Noted: kumquat, token=${SECRET}.`),
  ];
  const stage = await claudeStage(script, { kind: 'claude-stream', logs: { dir, ...(level ? { level } : {}) } });
  const id = await stage.open({ agentId: 'FE-1' });
  await stage.ask(id, `Remember kumquat and ${SECRET}.`);
  await stage[Symbol.asyncDispose]();
  const file = join(dir, `${id}.log`);
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  return { text, lines, id };
}

describe('the log of a session', () => {
  it('tells from opening to exit what became of it, and no word of prompt or answer', async () => {
    const { text, lines, id } = await logged(undefined);
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['opening', 'opened', 'turn started', 'turn ended', 'status', 'exit']),
    );
    expect(lines[0]).toMatchObject({ msg: 'opening', agent: 'claude-stream', agentId: 'FE-1', sessionId: id });
    expect(lines.at(-1)).toMatchObject({ msg: 'exit' });
    const ended = lines.find(({ msg }) => msg === 'turn ended')!;
    expect(ended).toMatchObject({ outcome: 'completed', decidedBy: 'agent_end', inputTokens: expect.any(Number) });
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['info']));
    expect(text).not.toContain('kumquat');
    expect(text).not.toContain(SECRET);
  });

  it('tells with debug also what was observed and said, without secrets and without the prompt', async () => {
    const { text, lines } = await logged('debug');
    expect(lines.find(({ msg }) => msg === 'evidence')).toMatchObject({ level: 'debug' });
    expect(text).toContain('Noted: kumquat');
    expect(text).not.toContain('Remember');
    expect(text).not.toContain(SECRET);
  });

  it('says that a session could not be opened, and by which code', async () => {
    await using state = await temporaryFolder('semo-state-');
    const sessions = createPtySessionManager({ stateDir: state.path, logs: {} });
    const sessionId = newId('ses');
    const agent = { kind: 'command', command: ['/no/such/program'] } as const;
    const spec = { sessionId, agent, workspace: { kind: 'path', path: state.path } } as const;
    await expectError(sessions.create(spec), 'agent_not_found');
    await sessions.close();
    const text = await readFile(join(state.path, 'logs', `${sessionId}.log`), 'utf8');
    expect(JSON.parse(text.trim().split('\n').at(-1)!)).toMatchObject({ level: 'error', code: 'agent_not_found' });
  });

  it('that cannot be written hurts nobody, and is told', async () => {
    await using state = await temporaryFolder('semo-state-');
    const file = join(state.path, 'file');
    await writeFile(file, '');
    const faults: unknown[] = [];
    const logs = { dir: join(file, 'logs'), onFault: (thrown: unknown) => void faults.push(thrown) };
    const sessions = createPtySessionManager({ stateDir: state.path, logs });
    const agent = { kind: 'shell' } as const;
    const spec = { sessionId: newId('ses'), agent, workspace: { kind: 'path', path: state.path } } as const;
    expect(await sessions.create(spec)).toMatchObject({ status: 'ready' });
    await sessions.terminate(spec.sessionId, { graceMs: 0 });
    await sessions.close();
    expect(faults.length).toBeGreaterThan(0);
  });
});

describe('old logs', () => {
  it('are removed when a host starts: what is too old, then the oldest until the rest is small enough', async () => {
    await using logs = await temporaryFolder('semo-logs-');
    const age = async (name: string, days: number) => {
      const path = join(logs.path, name);
      await writeFile(path, 'x'.repeat(1000));
      const at = new Date(Date.now() - days * 24 * 3_600_000);
      await utimes(path, at, at);
    };
    await age('ses_a.log', 20);
    await age('ses_b.1.log', 3);
    await age('ses_c.log', 2);
    await age('ses_d.log', 1);
    await age('notes.txt', 99);
    await using state = await temporaryFolder('semo-state-');
    const sessions = createPtySessionManager({
      stateDir: state.path,
      logs: { dir: logs.path, maxAgeMs: 10 * 24 * 3_600_000, maxTotalBytes: 2500 },
    });
    await sessions.close();
    expect((await readdir(logs.path)).toSorted()).toEqual(['notes.txt', 'ses_c.log', 'ses_d.log']);
  });
});

describe('a file that is full', () => {
  it('becomes the one before, and no line is lost or cut on the way', async () => {
    await using logs = await temporaryFolder('semo-logs-');
    const path = join(logs.path, 'ses_x.log');
    const faults: unknown[] = [];
    const file = new RotatingFile({ path, maxBytes: 100, onFault: (thrown) => faults.push(thrown) });
    const line = (each: number) => `${JSON.stringify({ each, text: 'é'.repeat(10) })}\n`;
    // Some at once, and some once the file is open.
    file.write(line(0));
    await expect.poll(() => readFile(path, 'utf8')).toBe(line(0));
    for (let each = 1; each <= 3; each += 1) file.write(line(each));
    await file.end();
    const [before, after] = await Promise.all([
      readFile(path.replace('.log', '.1.log'), 'utf8'),
      readFile(path, 'utf8'),
    ]);
    expect(before + after).toBe([0, 1, 2, 3].map(line).join(''));
    expect(Buffer.byteLength(before)).toBeLessThanOrEqual(100);
    expect(faults).toEqual([]);
  });
});
