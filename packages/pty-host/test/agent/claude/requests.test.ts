import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRequestDesk, type Notice, type RequestDeskOptions, type SessionEvents } from '@semo-office/core';
import { EventLog } from '@semo-office/core/testing';
import { lastToolResults, say, useTool, type ModelRequest } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { fileRequestStore } from '../../../src/index.ts';
import { claudeStage } from './claude-stage.ts';

const TOUCH = { command: 'touch allowed', description: 'Test' };
const OPTIONS = [
  { label: 'Red', description: 'r' },
  { label: 'Blue', description: 'b' },
];
const QUESTIONS = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options: OPTIONS }];

/** Asks for leave once in each conversation, then says what it was told. */
const touch = (request: ModelRequest) =>
  lastToolResults(request).length === 0 ? useTool('Bash', TOUCH) : say('Went on.');
const question = (request: ModelRequest) =>
  lastToolResults(request).length === 0 ? useTool('AskUserQuestion', { questions: QUESTIONS }) : say('Painted.');

describe.each(['claude', 'claude-stream'] as const)('what %s asks', (kind) => {
  async function stageFor(script: typeof touch, desk?: Partial<RequestDeskOptions>) {
    const stage = await claudeStage(script, { kind });
    const id = await stage.open({}, { permissionMode: 'default' });
    const log = new EventLog(stage.sessions, id);
    const opened = desk === undefined ? null : openRequestDesk({ ...desk, sessions: stage.sessions });
    const wasTouched = async () =>
      access(join(stage.folder, 'allowed')).then(
        () => true,
        () => false,
      );
    const states = () => log.of('request_settled').map(({ state }) => state);
    return {
      ...stage,
      id,
      log,
      wasTouched,
      states,
      async asked(options: Parameters<typeof stage.sessions.sendPrompt>[2] = {}) {
        const { turnId } = await stage.sessions.sendPrompt(id, 'Do it.', options);
        await log.until((told) => told.of('request').length > 0);
        return { turnId, request: log.of('request')[0]!.request };
      },
      async [Symbol.asyncDispose]() {
        opened?.close();
        log.stop();
        await stage[Symbol.asyncDispose]();
      },
    };
  }

  it('is allowed by a rule', async () => {
    const rules = [
      { name: 'touch', tool: 'Bash', input: { command: { command: 'touch *' } }, answer: { behavior: 'allow' } },
    ] as const;
    await using stage = await stageFor(touch, { rules });
    expect((await stage.ask(stage.id, 'Do it.')).text).toBe('Went on.');
    expect(await stage.wasTouched()).toBe(true);
    expect(stage.states()).toMatchObject([{ kind: 'answered', by: 'rule touch' }]);
  });

  it('is denied by a rule, and the agent told why', async () => {
    const rules = [
      { name: 'all', answer: { behavior: 'allow' } },
      { name: 'no touching', tool: 'Bash', answer: { behavior: 'deny', message: 'Not on a Friday.' } },
    ] as const;
    await using stage = await stageFor(touch, { rules });
    expect((await stage.ask(stage.id, 'Do it.')).text).toBe('Went on.');
    expect(await stage.wasTouched()).toBe(false);
    expect(stage.model.messages.at(-1)!.rawBody).toContain('Not on a Friday.');
  });

  it('is answered by a policy, which may change it', async () => {
    const policy: RequestDeskOptions['policy'] = async ({ input }) => ({
      behavior: 'allow',
      updatedInput: { ...(input as object), command: 'touch instead' },
    });
    await using stage = await stageFor(touch, { policy });
    await stage.ask(stage.id, 'Do it.');
    expect(await stage.wasTouched()).toBe(false);
    expect(await readFile(join(stage.folder, 'instead'), 'utf8')).toBe('');
  });

  it('waits for a person, who is told', async () => {
    const notices: Notice[] = [];
    const told = Promise.withResolvers<void>();
    const notifier = {
      async notify(notice: Notice) {
        notices.push(notice);
        told.resolve();
      },
    };
    await using stage = await stageFor(touch, { policy: () => null, notifier });
    const { turnId } = await stage.asked();
    await told.promise;
    expect(notices[0]).toMatchObject({ kind: 'request_opened', sentence: expect.stringContaining('touch allowed') });
    const [open] = await stage.sessions.listRequests();
    await stage.sessions.answerRequest(open!.requestId, { behavior: 'allow' }, { by: 'Mina' });
    expect((await stage.sessions.waitForTurn(stage.id, turnId)).text).toBe('Went on.');
    expect(await stage.wasTouched()).toBe(true);
    const kept = await fileRequestStore({ folder: join(stage.stateDir, 'requests') }).list();
    expect(kept).toMatchObject([{ request: { requestId: open!.requestId }, state: { kind: 'answered', by: 'Mina' } }]);
  });

  it('is a question, and its answer reaches the model', async () => {
    await using stage = await stageFor(question);
    const { turnId, request } = await stage.asked();
    expect(request).toMatchObject({ kind: 'question', input: { questions: [{ question: 'Which colour?' }] } });
    await stage.sessions.answerRequest(request.requestId, {
      behavior: 'allow',
      updatedInput: { answers: { 'Which colour?': 'Blue' } },
    });
    expect((await stage.sessions.waitForTurn(stage.id, turnId)).text).toBe('Painted.');
    expect(lastToolResults(stage.model.messages.at(-1)!)[0]?.text).toMatch(/"Which colour\?"="Blue"/);
  });

  it('expires as a no, and the agent goes on', async () => {
    await using stage = await stageFor(touch);
    const requests = { expiresAfterMs: 100, onExpiry: 'deny' } as const;
    expect((await stage.ask(stage.id, 'Do it.', { requests })).text).toBe('Went on.');
    expect(await stage.wasTouched()).toBe(false);
    expect(stage.model.messages.at(-1)!.rawBody).toContain('Nobody answered in time');
    expect(stage.states()).toMatchObject([{ kind: 'expired' }]);
  });

  it('expires as needs_input, and the agent can be used again', async () => {
    await using stage = await stageFor(touch);
    const turn = await stage.ask(stage.id, 'Do it.', { requests: { expiresAfterMs: 100 } });
    expect(turn.state).toMatchObject({ outcome: 'needs_input', decidedBy: 'needs_input' });
    expect(await stage.wasTouched()).toBe(false);
    expect((await stage.ask(stage.id, 'Just talk.')).text).toBe('Went on.');
  });

  it('needs a person at once where nobody is there', async () => {
    await using stage = await stageFor(touch);
    const turn = await stage.ask(stage.id, 'Do it.', { onNeedsPerson: 'interrupt' });
    expect(turn.state).toMatchObject({ outcome: 'needs_input' });
    await stage.log.until(() => stage.states().length > 0);
    expect(stage.states()).toMatchObject([{ kind: 'withdrawn', why: 'turn_over' }]);
  });

  it.each([
    { how: 'cancel', why: 'turn_over' },
    { how: 'terminate', why: 'session_ended' },
  ] as const)('is withdrawn by $how', async ({ how, why }) => {
    await using stage = await stageFor(touch);
    const { request } = await stage.asked();
    await stage.sessions[how](stage.id);
    expect(await stage.sessions.listRequests()).toEqual([]);
    expect(stage.states()).toMatchObject([{ kind: 'withdrawn', why }]);
    await expect(stage.sessions.answerRequest(request.requestId, { behavior: 'allow' })).rejects.toMatchObject({
      code: 'request_unknown',
    });
    const kept = await fileRequestStore({ folder: join(stage.stateDir, 'requests') }).get(request.requestId);
    expect(kept?.state).toMatchObject({ kind: 'withdrawn', why });
  });

  it('is withdrawn with an agent that dies', async () => {
    await using stage = await stageFor(touch);
    const { turnId } = await stage.asked();
    const exit = Promise.withResolvers<SessionEvents['exit']>();
    stage.sessions.on('exit', exit.resolve);
    process.kill(Number((await stage.sessions.get(stage.id))?.terminalId), 'SIGKILL');
    expect((await stage.sessions.waitForTurn(stage.id, turnId)).state).toMatchObject({ outcome: 'crashed' });
    await exit.promise;
    expect(await stage.sessions.listRequests()).toEqual([]);
    expect(stage.states()).toMatchObject([{ kind: 'withdrawn' }]);
  });
});
