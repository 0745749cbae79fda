import { serveSessions, type CommandResult, type SessionManager } from '@semo-office/core';
import { FakeClock, createScriptedSessions, scriptedSpec } from '@semo-office/core/testing';
import { expect, it } from 'vitest';

import type { CommandRepository } from '../../src/command/command-repository.ts';
import type { ClaimedCommand } from '../../src/command/command-rows.ts';
import type { HostRegistration } from '../../src/host/host-registration.ts';
import { LivingSessions } from '../../src/host/living-sessions.ts';
import { OfficeSubscriber, type CommandHandler } from '../../src/host/office-subscriber.ts';

/** As long as ids can be: none is made from them. */
const [sessionId, turnId, commandId] = ['s', 't', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];

/** What carries out commands, as a host has it. */
function handlerOf(sessions: SessionManager): CommandHandler {
  let served: CommandHandler | null = null;
  const serve = (handler: CommandHandler) => {
    served = handler;
    return () => {};
  };
  serveSessions({ serve, publish: () => {}, close: async () => {} }, sessions);
  return served ?? (() => Promise.reject(new Error('Nobody serves.')));
}

/** A host's side of commands that is given one command; with what it answers. */
function subscriberOf(command: ClaimedCommand) {
  const answered = Promise.withResolvers<CommandResult>();
  const given = [command];
  const commands = {
    claim: async () => given.splice(0),
    answer: async (_fence: unknown, _command: unknown, result: CommandResult) => answered.resolve(result),
  } as unknown as CommandRepository;
  const subscriber = new OfficeSubscriber({
    clock: new FakeClock(),
    commands,
    registration: { fence: { hostId: 'h1', epoch: 2 }, isOwn: () => false } as unknown as HostRegistration,
    isLive: () => true,
    pace: { fastMs: 1, slowMs: 1, liveMs: 1 },
    leaseMs: 1000,
    onAnswered: () => {},
    onProblem: (problem) => answered.reject(problem),
  });
  return { subscriber, answered: answered.promise };
}

it('tells what is known of a session with a long id', async () => {
  const sessions = createScriptedSessions();
  const living = new LivingSessions(undefined);
  living.askAt(handlerOf(sessions));
  await sessions.create(scriptedSpec(sessionId));
  expect(await living.infoOf(sessionId)).toMatchObject({ sessionId, status: 'ready' });
});

it.each(['known', 'gone'] as const)(
  'answers for a turn that is %s, whose command with a long id is handed out again',
  async (fate) => {
    const sessions = createScriptedSessions();
    await sessions.create(scriptedSpec(sessionId));
    if (fate === 'known') await sessions.sendPrompt(sessionId, 'hang', { turnId });
    else await sessions.terminate(sessionId);
    const { subscriber, answered } = subscriberOf({
      command_id: commandId,
      kind: 'send_prompt',
      session_id: sessionId,
      lane: 'turn',
      seq: 1,
      payload: { kind: 'send_prompt', sessionId, turnId, prompt: 'hang', options: {} },
      lease_token: crypto.randomUUID(),
      attempts: 2,
      requeued: 0,
      prior_epoch: 1,
      turn_delivery: 'submitted',
    });
    subscriber.serve(handlerOf(sessions));
    expect(await answered).toMatchObject(
      fate === 'known'
        ? { success: true, result: { turnId } }
        : { success: false, error: { code: 'session_terminated' } },
    );
  },
);
