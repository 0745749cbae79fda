import { newId, type Command, type CommandResult } from '@semo-office/core';
import { expectError, scriptedSpec } from '@semo-office/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PATIENCE, isGiven, startProject, type Project } from './project.ts';

let project: Project;
beforeAll(async () => {
  project = await startProject();
});
afterAll(() => project[Symbol.asyncDispose]());

const SESSIONS = ['ses_1', 'ses_2', 'ses_3'] as const;

/** An office whose host has been asked for something in each of three sessions, and has not answered in time. */
async function withDeadLetters() {
  const office = project.office();
  const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 10 });
  const asked: { readonly command: Command; readonly answer: (result: CommandResult) => void }[] = [];
  host.serve((command) => {
    if (command.body.kind === 'create_session') return Promise.resolve({ success: true, result: null });
    return new Promise((answer) => asked.push({ command, answer }));
  });
  const link = office.server.office();
  const told: string[] = [];
  office.server.commands.onDead(({ commandId }) => told.push(commandId));
  const ids: string[] = [];
  const waiting: Promise<unknown>[] = [];
  for (const sessionId of SESSIONS) {
    const spec = scriptedSpec(sessionId);
    await link.dispatch({ commandId: newId('cmd'), body: { kind: 'create_session', sessionId, spec } });
    const command: Command = { commandId: newId('cmd'), body: { kind: 'send_keystrokes', sessionId, keys: ['Enter'] } };
    ids.push(command.commandId);
    waiting.push(link.dispatch(command));
    await expect.poll(() => asked.length, PATIENCE).toBe(ids.length);
  }
  await project.supabase.sql(
    `update agent_commands set lease_expires_at = semo.now(), expires_at = semo.now()
     where office_id = $1 and status = 'processing'`,
    [office.officeId],
  );
  await project.supabase.sql('select semo_sweep($1)', [office.officeId]);
  return { office, desk: office.server.commands, asked, told, ids, waiting };
}

const done: CommandResult = { success: true, result: null };

describe.skipIf(isGiven)('dead letters', () => {
  it('are told to the office, listed page by page, and handed out again when somebody says so', async () => {
    const { office, desk, asked, told, ids, waiting } = await withDeadLetters();
    for (const answer of waiting)
      expect(await answer).toMatchObject({ success: false, error: { code: 'delivery_unknown' } });
    await expect.poll(() => told.toSorted(), PATIENCE).toEqual(ids.toSorted());
    const first = await desk.dead({ limit: 2 });
    const rest = await desk.dead({ limit: 2, after: first[1] });
    expect([first.length, rest.length]).toEqual([2, 1]);
    expect([...first, ...rest].map(({ commandId }) => commandId).toSorted()).toEqual(ids.toSorted());
    expect(rest[0]).toMatchObject({ kind: 'send_keystrokes', hostId: 'h1', attempts: 1 });
    expect(await desk.dead({ after: rest[0] })).toEqual([]);
    for (const page of [{ limit: -1 }, { limit: 0 }, { after: { commandId: 'cmd', diedAt: 'yesterday' } }])
      await expectError(desk.dead(page), 'invalid_argument');

    // Of the first the answer comes late, and is the truth: there is nothing to be done again.
    const [late, again] = ids as [string, string];
    asked[0]?.answer(done);
    await expect.poll(() => desk.get(late), PATIENCE).toMatchObject({ status: 'completed', late: true, answer: done });
    await expectError(desk.requeue(late), 'invalid_argument');
    // Of the second it comes once somebody else has been handed it, and counts for nothing; the same answer twice counts once.
    await desk.requeue(again);
    await expect.poll(() => asked.length, PATIENCE).toBe(4);
    expect(asked[3]?.command).toMatchObject({ commandId: again, requeued: 1 });
    asked[1]?.answer({ success: true, result: 'of the first time' });
    await expect.poll(() => office.problems.map(({ code }) => code), PATIENCE).toContain('lease_lost');
    expect(await desk.get(again)).toMatchObject({ status: 'processing', answer: null });
    asked[3]?.answer(done);
    await expect
      .poll(() => desk.get(again), PATIENCE)
      .toMatchObject({ status: 'completed', late: false, answer: done });
    expect((await desk.dead()).map(({ commandId }) => commandId)).toEqual([ids[2]]);
    expect(told).toHaveLength(3);
    await office.close();
  });
});
