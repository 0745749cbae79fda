import type { Command, SemoError } from '@semo-office/core';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { MuteProject } from './mute-project.ts';
import { create, keys } from './scripted-hosts.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function staged(answering: readonly string[] = []) {
  const clock = new FakeClock();
  const project = new MuteProject(answering);
  const problems: SemoError[] = [];
  const transport = createSupabaseTransport({
    client: project.access,
    officeId: 'acme',
    realtime: false,
    clock,
    times: { answerTimeoutMs: 2000, closeTimeoutMs: 5000 },
    onProblem: (problem) => problems.push(problem),
  });
  return { clock, project, problems, transport };
}

const HOST = { hostId: 'h1', capacity: 1 };

describe('a command, while the database does not answer,', () => {
  it('is given up in time where it could not even be listened for', async () => {
    const { clock, transport } = staged();
    const answer = expectError(transport.office().dispatch(create('ses_1')), 'host_lost');
    clock.advance(2000);
    expect((await answer).message).toBe('The database did not answer within 2 s.');
  });

  it('is given up soon after its time, and is said to be in doubt', async () => {
    const { clock, project, transport } = staged(['semo_event_heads']);
    const command = create('ses_1');
    const answer = expectError(transport.office().dispatch(command), 'host_lost');
    await project.untilAsked('semo_enqueue_command');
    clock.advance(2000);
    await project.untilAsked('semo_get_command');
    clock.advance(1000);
    const error = await answer;
    expect(error.message).toContain(`Command ${command.commandId} may have been asked for`);
    expect(error.details).toEqual({ commandId: command.commandId, status: null });
  });

  it('is known to have been asked for, if it was', async () => {
    const { clock, project, transport } = staged(['semo_event_heads']);
    const command = create('ses_1');
    const answer = expectError(transport.office().dispatch(command), 'wait_timed_out');
    await project.untilAsked('semo_enqueue_command');
    const row = { command_id: command.commandId, session_id: 'ses_1', host_id: 'h1', seq: 1, status: 'processing' };
    project.answer('semo_enqueue_command', [row]);
    await project.untilAsked('semo_read_results');
    clock.advance(2000);
    await project.untilAsked('semo_get_command');
    clock.advance(1000);
    expect((await answer).details).toMatchObject({ status: 'processing' });
  });

  it('is not asked for where it was given up before', async () => {
    const { project, transport } = staged(['semo_event_heads']);
    const link = transport.office();
    const error = await expectError(link.dispatch(create('ses_1'), { signal: AbortSignal.abort() }), 'aborted');
    expect(error.message).toBe('The command was given up before it was asked for. Nothing is done.');
    const [mute, giveUp] = [staged(), new AbortController()];
    const given = expectError(mute.transport.office().dispatch(keys('ses_1'), giveUp), 'aborted');
    giveUp.abort();
    expect((await given).message).toContain('Nothing is done.');
    expect([...project.asked, ...mute.project.asked]).not.toContain('semo_enqueue_command');
  });
});

it('does not wait for a token that never comes, neither to answer nor to close', async () => {
  const clock = new FakeClock();
  const transport = createSupabaseTransport({
    url: 'http://127.0.0.1:9',
    key: 'sb_publishable_x',
    accessToken: () => new Promise(() => {}),
    officeId: 'acme',
    realtime: false,
    clock,
    times: { answerTimeoutMs: 2000 },
  });
  const link = transport.office();
  const answer = expectError(link.dispatch(create('ses_1')), 'host_lost');
  clock.advance(2000);
  await answer;
  const other = expectError(link.dispatch(create('ses_2')), 'closed');
  await transport.close();
  await other;
});

describe('closing, while the database does not answer,', () => {
  it('does not wait for an office, and fails what is waited for there', async () => {
    const { project, problems, transport } = staged(['semo_event_heads']);
    const answer = expectError(transport.office().dispatch(create('ses_1')), 'closed');
    await project.untilAsked('semo_enqueue_command');
    const asking = expectError(transport.commands.get('cmd_1'), 'closed');
    // No time passes.
    await transport.close();
    await Promise.all([answer, asking]);
    expect(problems).toEqual([]);
  });

  it('has one time for all that a host has to do', async () => {
    const { clock, project, problems, transport } = staged(['semo_register_host']);
    const host = await transport.host(HOST);
    host.serve(() => new Promise(() => {}));
    await project.untilAsked('semo_claim_commands');
    // A third of its lease: its heartbeat is not answered either.
    clock.advance(5000);
    await project.untilAsked('semo_heartbeat_host');
    host.publish({ name: 'exit', sessionId: 'ses_1', code: 0, signal: null, at: 0 });
    let isClosed = false;
    const closing = host.close().then(() => (isClosed = true));
    for (const ms of [3000, 1000, 999]) {
      clock.advance(ms);
      await settled();
    }
    expect(isClosed).toBe(false);
    clock.advance(1);
    await closing;
    expect(problems.map(({ code }) => code)).toContain('closed');
  });

  it('leaves time for saying goodbye, where it is a command that does not end', async () => {
    const { clock, project, transport } = staged(['semo_register_host', 'semo_sign_off_host', 'semo_publish_events']);
    const host = await transport.host(HOST);
    host.serve(() => new Promise(() => {}));
    await project.untilAsked('semo_claim_commands');
    project.answer('semo_claim_commands', [claimed(keys('ses_1'))]);
    await settled();
    const closing = host.close();
    clock.advance(3000);
    await closing;
    expect(project.asked).toContain('semo_sign_off_host');
  });

  it('ends the wait for a host that drains', async () => {
    const { transport } = staged(['semo_register_host', 'semo_sign_off_host', 'semo_publish_events']);
    const host = await transport.host(HOST);
    host.publish({ name: 'status', sessionId: 'ses_1', status: 'executing', at: 0 });
    const waiting = expectError(host.drained(), 'closed');
    await Promise.all([host.close(), waiting]);
  });

  it('takes along a host that is just being registered', async () => {
    const { project, transport } = staged(['semo_sign_off_host']);
    const refused = expectError(transport.host(HOST), 'closed');
    await project.untilAsked('semo_register_host');
    const closing = transport.close();
    project.answer('semo_register_host');
    await Promise.all([refused, closing]);
    expect(project.asked).toContain('semo_sign_off_host');
  });

  it('waits no longer for one of which nothing is heard', async () => {
    const { clock, project, transport } = staged();
    const refused = expectError(transport.host(HOST), 'closed');
    await project.untilAsked('semo_register_host');
    const closing = transport.close();
    clock.advance(5000);
    await Promise.all([refused, closing]);
  });
});

it('is closed: whoever asks for something later is told so', async () => {
  const { project, transport } = staged(['semo_register_host', 'semo_sign_off_host']);
  const host = await transport.host(HOST);
  const jobs = transport.jobStore();
  await transport.close();
  const before = project.asked.length;
  await expectError(transport.commands.get('cmd_1'), 'closed');
  await expectError(transport.commands.dead(), 'closed');
  await expectError(transport.commands.requeue('cmd_1'), 'closed');
  await expectError(jobs.get('job_1'), 'closed');
  await expectError(host.drain(), 'closed');
  await expectError(host.drained(), 'closed');
  await expectError(host.sessionStore.getSession('ses_1'), 'closed');
  await expectError(transport.host(HOST), 'closed');
  expect(() => transport.jobStore()).toThrow('This transport was closed.');
  expect(() => transport.office()).toThrow('This transport was closed.');
  expect(project.asked).toHaveLength(before);
});

/** A command as a host is handed it. */
function claimed({ commandId, body }: Command): unknown {
  return {
    command_id: commandId,
    kind: body.kind,
    session_id: 'ses_1',
    lane: 'control',
    payload: body,
    lease_token: crypto.randomUUID(),
    attempts: 1,
    prior_epoch: null,
    turn_delivery: null,
    seq: 1,
  };
}
