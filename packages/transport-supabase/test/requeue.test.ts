import { newId, serveSessions, type Command, type CommandBody, type CommandResult } from '@semo-office/core';
import { EventLog, createScriptedSessions, scriptedSpec } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { fragileHost, loseHost } from './fragile-host.ts';
import { PATIENCE, isGiven, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';
import { create } from './scripted-hosts.ts';

const stage = projectStage();
const begin = (): OfficeOfProject => stage.begin({ realtime: false });

const sessionId = 'ses_1';
const ask = (body: CommandBody): Command => ({ commandId: newId('cmd'), body });
const done = { success: true };

/** What must not be done twice, and the event by which it is seen that it was done. */
const ONCE = [
  [{ kind: 'send_text', sessionId, text: 'x' }, 'output'],
  [{ kind: 'send_keystrokes', sessionId, keys: ['Enter'] }, 'output'],
  [{ kind: 'send_prompt', sessionId, turnId: 'turn_1', prompt: 'hang', options: {} }, 'turn'],
] as const satisfies readonly (readonly [CommandBody, 'output' | 'turn'])[];

/** Lets the time be over of what hosts are at, and has that noticed. */
async function bury({ officeId }: OfficeOfProject): Promise<void> {
  await stage.project.supabase.sql(
    `update agent_commands set lease_expires_at = semo.now(), expires_at = semo.now()
     where office_id = $1 and status = 'processing'`,
    [officeId],
  );
  await stage.project.supabase.sql('select semo_sweep($1, 1000, 3600000)', [officeId]);
}

describe.skipIf(isGiven)('a dead command that somebody has handed out again', () => {
  it.each(ONCE)('is carried out by the next process of its host, once: %o', async (body, seen) => {
    const office = begin();
    const local = createScriptedSessions();
    const log = new EventLog(local, sessionId);
    const asked = Promise.withResolvers<void>();
    const first = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    // Its agents outlive it.
    first.serve(async ({ body: { kind } }): Promise<CommandResult> => {
      if (kind === 'create_session') return { success: true, result: await local.create(scriptedSpec(sessionId)) };
      asked.resolve();
      return new Promise(() => {});
    });
    const link = office.server.office();
    await link.dispatch(create(sessionId));
    const command = ask(body);
    const answer = link.dispatch(command);
    await asked.promise;
    await bury(office);
    expect(await answer).toMatchObject({ success: false, error: { code: 'delivery_unknown' } });
    const second = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1, sessions: [sessionId] });
    serveSessions(second, local);
    const desk = office.server.commands;
    await desk.requeue(command.commandId);
    await expect.poll(() => desk.get(command.commandId), PATIENCE).toMatchObject({ status: 'completed', answer: done });
    expect(log.of(seen)).toHaveLength(1);
    // Who asks once more is given that answer.
    expect(await link.dispatch(command)).toMatchObject(done);
    expect(log.of(seen)).toHaveLength(1);
  });

  it('is carried out once more by the very process that has done it before', async () => {
    const office = begin();
    const host = await fragileHost(stage.project, office, { hostId: 'h1' });
    const log = new EventLog(host.local, sessionId);
    const link = office.server.office();
    await link.dispatch(create(sessionId));
    // It is typed, and before it can be told the line is cut.
    let cut = Promise.resolve();
    const stop = host.local.on('output', () => void (cut = host.cut()));
    const command = ask({ kind: 'send_text', sessionId, text: 'x' });
    const answer = link.dispatch(command).catch((thrown: unknown) => thrown);
    await log.until(() => log.of('output').length > 0);
    stop();
    // What is under way would keep it from being lost.
    await cut;
    await loseHost(stage.project, office, 'h1');
    await bury(office);
    await answer;
    const desk = office.server.commands;
    expect(await desk.get(command.commandId)).toMatchObject({ status: 'dead' });
    const { epoch } = host.link;
    host.mend();
    await expect.poll(() => host.link.epoch, PATIENCE).toBeGreaterThan(epoch);
    await desk.requeue(command.commandId);
    await expect.poll(() => desk.get(command.commandId), PATIENCE).toMatchObject({ status: 'completed', answer: done });
    expect(log.of('output')).toHaveLength(2);
    expect(await link.dispatch(command)).toMatchObject(done);
    expect(log.of('output')).toHaveLength(2);
  });

  it('gives a prompt whose turn its host knows for what it is, and sends it no second time', async () => {
    const office = begin();
    const local = createScriptedSessions();
    await local.create(scriptedSpec(sessionId));
    const log = new EventLog(local, sessionId);
    const first = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    const asked = Promise.withResolvers<void>();
    first.serve(async ({ body }): Promise<CommandResult> => {
      if (body.kind !== 'send_prompt') return { success: true, result: await local.get(sessionId) };
      await local.sendPrompt(sessionId, body.prompt, { turnId: body.turnId });
      asked.resolve();
      return new Promise(() => {});
    });
    const link = office.server.office();
    await link.dispatch(create(sessionId));
    const command = ask({ kind: 'send_prompt', sessionId, turnId: 'turn_1', prompt: 'hang', options: {} });
    const answer = link.dispatch(command);
    await asked.promise;
    await bury(office);
    await answer;
    const second = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1, sessions: [sessionId] });
    serveSessions(second, local);
    const desk = office.server.commands;
    await desk.requeue(command.commandId);
    const turn = { success: true, result: { turnId: 'turn_1', state: { kind: 'running' } } };
    await expect.poll(() => desk.get(command.commandId), PATIENCE).toMatchObject({ status: 'completed', answer: turn });
    expect(log.of('turn')).toHaveLength(1);
  });
});
