import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionEvents } from '@semo-office/core';
import { cutStream, failWith, hang, promptTexts, say, useTool, userTexts } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../claude-stage.ts';

const bash = (command: string, more: Record<string, unknown> = {}) =>
  useTool('Bash', { command, description: 'Test', ...more });
const COMMIT =
  'git init -qb work && git -c user.name=A -c user.email=a@b.example commit --allow-empty -m "Add the page"';
/** A port that nothing listens at: the lowest are not given out. */
const NOBODY = 'http://127.0.0.1:1';
const stageFor = (script: Parameters<typeof claudeStage>[0], options: Parameters<typeof claudeStage>[1] = {}) =>
  claudeStage(script, { kind: 'claude-stream', ...options });

describe('a turn of Claude Code in stream mode', () => {
  it('is completed by the agent’s own word, after real work', async () => {
    await using stage = await stageFor([bash('printf "made by the agent" > made.txt'), say('All done.')]);
    const { sessionId, status, agent } = await stage.sessions.create(stage.spec());
    expect(status).toBe('ready');
    expect(agent).toMatchObject({ kind: 'claude-stream', version: expect.stringMatching(/^2\./) });
    const turn = await stage.ask(sessionId, 'Make the file.');
    expect(turn.state).toMatchObject({
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
      error: null,
    });
    expect(turn.text).toBe('All done.');
    expect(await readFile(join(stage.folder, 'made.txt'), 'utf8')).toBe('made by the agent');
    expect(await stage.sessions.get(sessionId)).toMatchObject({
      status: 'ready',
      agent: { conversationId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  it('keeps the conversation from turn to turn, and forgets it on reset', async () => {
    await using stage = await stageFor(() => say('Noted.'));
    const id = await stage.open();
    await stage.ask(id, 'The word is kumquat.');
    await stage.ask(id, 'And again?');
    expect(promptTexts(stage.model.messages[1]!).join('\n')).toContain('kumquat');
    const before = (await stage.sessions.get(id))?.agent.conversationId;
    await stage.sessions.reset(id);
    await stage.ask(id, 'What was the word?');
    expect(stage.model.messages[2]!.rawBody).not.toContain('kumquat');
    expect(promptTexts(stage.model.messages[2]!)).toContain('What was the word?');
    expect((await stage.sessions.get(id))?.agent.conversationId).not.toBe(before);
  });

  it('is not over while a background task runs, and says when the agent goes on by itself', async () => {
    await using stage = await stageFor([
      bash('sleep 1', { run_in_background: true }),
      say('Started it.'),
      say('It is done.'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Run it in the background.');
    expect(turn.text).toBe('It is done.');
    expect(turn.evidence.map(({ kind }) => kind)).toEqual(['accepted', 'agent_end', 'self_started', 'agent_end']);
    expect(turn.evidence.filter(({ kind }) => kind === 'agent_end')).toMatchObject([
      { backgroundTasks: 1 },
      { backgroundTasks: 0 },
    ]);
  });

  it('waits for what the agent says of a task that ended while it was answering', async () => {
    await using stage = await stageFor([
      bash('sleep 0.4', { run_in_background: true }),
      say('I say this slowly enough for it to end', { pace: { bytesPerChunk: 4, delayMs: 120 } }),
      say('Now it is done.'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Run it in the background.');
    expect(turn.text).toBe('Now it is done.');
    expect(turn.state).toMatchObject({ outcome: 'completed' });
  });

  it('tells of retries, and completes when one succeeds', async () => {
    await using stage = await stageFor([failWith(529, 'overloaded_error'), say('At last.')]);
    const turn = await stage.ask(await stage.open(), 'Try.');
    expect(turn).toMatchObject({ text: 'At last.', state: { outcome: 'completed' } });
    expect(turn.evidence).toContainEqual(expect.objectContaining({ kind: 'retrying', attempt: 1, status: 529 }));
  });

  it.each([
    { what: 529, answer: failWith(529, 'overloaded_error'), code: 'agent_overloaded', errorClass: 'overloaded' },
    {
      what: 429,
      answer: failWith(429, 'rate_limit_error', { headers: { 'retry-after': '3600' } }),
      code: 'agent_rate_limited',
      errorClass: 'rate_limit',
    },
    { what: 401, answer: failWith(401, 'authentication_error'), code: 'sign_in_refused', errorClass: 'auth' },
    {
      what: 400,
      answer: failWith(400, 'invalid_request_error'),
      code: 'agent_rejected',
      errorClass: 'invalid_request',
    },
    { what: 404, answer: failWith(404, 'not_found_error'), code: 'agent_rejected', errorClass: 'invalid_request' },
    { what: 'a cut', answer: cutStream('text'), code: 'agent_overloaded', errorClass: 'overloaded' },
    {
      what: 'a refusal',
      answer: say('I will not.', { stopReason: 'refusal' }),
      code: 'agent_rejected',
      errorClass: 'invalid_request',
    },
    {
      what: 'max_tokens',
      answer: say('And so on', { stopReason: 'max_tokens' }),
      code: 'agent_failed',
      errorClass: 'unknown',
    },
  ])('fails as $code by $what, although the CLI says success', async ({ answer, code, errorClass }) => {
    await using stage = await stageFor(() => answer, { maxRetries: 0 });
    const turn = await stage.ask(await stage.open(), 'Try.');
    expect(turn.state).toMatchObject({
      outcome: 'failed',
      decidedBy: 'agent_end',
      error: { code, class: errorClass, message: expect.stringMatching(/\S/) },
    });
  });

  it('says which variable to look at when its credential is refused', async () => {
    await using stage = await stageFor(() => failWith(401, 'authentication_error'), { maxRetries: 0 });
    const { state } = await stage.ask(await stage.open(), 'Try.');
    const message = expect.stringMatching(/ANTHROPIC_API_KEY.*claude setup-token/) as string;
    expect(state).toMatchObject({ error: { code: 'sign_in_refused', message } });
  });

  it('tells a model that nobody serves from one that is busy', async () => {
    const hostEnv = { ANTHROPIC_BASE_URL: NOBODY };
    await using stage = await stageFor([], { maxRetries: 0, hostEnv });
    const { state } = await stage.ask(await stage.open(), 'Try.');
    expect(state).toMatchObject({
      outcome: 'failed',
      error: {
        code: 'model_unreachable',
        class: 'not_found',
        retryable: true,
        message: expect.stringContaining('BASE_URL'),
      },
    });
  });

  it('needs the marker where that is required', async () => {
    await using stage = await stageFor([say('I think so.'), say('Yes. [SEMO:DONE]')]);
    const id = await stage.open();
    expect((await stage.ask(id, 'End with [SEMO:DONE].', { require: 'marker' })).state).toMatchObject({
      outcome: 'failed',
      error: { code: 'marker_missing' },
    });
    expect((await stage.ask(id, 'End with [SEMO:DONE].', { require: 'marker' })).state).toMatchObject({
      outcome: 'completed',
    });
  });

  it('tells the milestones of what its commands print', async () => {
    await using stage = await stageFor([bash(COMMIT), say('Committed.')]);
    const turn = await stage.ask(await stage.open(), 'Commit.');
    expect(turn.milestones).toMatchObject([{ kind: 'commit', branch: 'work' }]);
  });

  it('crashes with the agent, and the session with it', async () => {
    await using stage = await stageFor([hang()]);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Wait.');
    const exit = Promise.withResolvers<SessionEvents['exit']>();
    stage.sessions.on('exit', exit.resolve);
    process.kill(Number((await stage.sessions.get(id))?.terminalId), 'SIGKILL');
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn.state).toMatchObject({ outcome: 'crashed', decidedBy: 'exit', error: { code: 'agent_crashed' } });
    expect(await exit.promise).toMatchObject({ sessionId: id, signal: 'SIGKILL' });
    await expect(stage.sessions.sendPrompt(id, 'Still there?')).rejects.toMatchObject({ code: 'session_terminated' });
  });

  it.each([
    { signal: 'SIGTERM', exit: { code: null, signal: 'SIGTERM' } },
    { signal: 'SIGHUP', exit: { code: null, signal: 'SIGHUP' } },
    { signal: 'SIGINT', exit: { code: 0, signal: null } },
  ] as const)('crashes by $signal, which the agent catches', async ({ signal, exit }) => {
    await using stage = await stageFor([hang()]);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Wait.');
    await stage.model.waitForRequest(() => true);
    process.kill(Number((await stage.sessions.get(id))?.terminalId), signal);
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn.state).toMatchObject({ outcome: 'crashed', decidedBy: 'exit' });
    expect(turn.evidence.at(-1)).toMatchObject({ kind: 'exit', ...exit });
  });

  it('times out, and the agent is usable again', async () => {
    // By the prompt, not in order: on a busy machine the time is up before the model has been asked.
    await using stage = await stageFor((request) =>
      promptTexts(request).at(-1)?.trim() === 'Are you there?' ? say('Back again.') : hang(),
    );
    const id = await stage.open();
    const turn = await stage.ask(id, 'Wait.', { timeoutMs: 1000 });
    expect(turn.state).toMatchObject({ outcome: 'timed_out', decidedBy: 'timeout' });
    expect((await stage.ask(id, 'Are you there?')).text).toBe('Back again.');
  });
});

describe('cancelling a turn of Claude Code in stream mode', () => {
  it.each([
    { when: 'before its first word', step: hang() },
    { when: 'in the middle of its words', step: hang({ text: 'I am working on' }) },
  ])('$when', async ({ step }) => {
    await using stage = await stageFor([step, say('Fresh start.')]);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'one\ntwo\nthree');
    await stage.model.waitForRequest(() => true);
    await stage.sessions.cancel(id);
    expect((await stage.sessions.getTurn(id, turnId))?.state).toMatchObject({
      outcome: 'cancelled',
      decidedBy: 'cancel',
    });
    expect((await stage.sessions.get(id))?.status).toBe('ready');
    expect((await stage.ask(id, 'Something else.')).text).toBe('Fresh start.');
    expect(userTexts(stage.model.messages[1]!).filter((text) => text.includes('Something else'))).toEqual([
      'Something else.',
    ]);
  });

  it('while a command runs, ends the command', async () => {
    await using stage = await stageFor([bash('echo started > started; tail -f /dev/null'), say('Fresh start.')]);
    const id = await stage.open();
    await stage.sessions.sendPrompt(id, 'Sleep.');
    await stage.model.waitForRequest(({ outcome }) => outcome.kind === 'answered');
    await stage.sessions.cancel(id);
    expect((await stage.ask(id, 'Something else.')).text).toBe('Fresh start.');
  });

  it('while a background task runs, ends the task: nothing of it comes up in the next turn', async () => {
    await using stage = await stageFor([
      bash('tail -f /dev/null', { run_in_background: true }),
      say('Started it.'),
      say('Fresh start.'),
      say('This is about the task.'),
    ]);
    const id = await stage.open();
    const turnId = 'turn_paused';
    const paused = Promise.withResolvers<void>();
    const look = async () => {
      const turn = await stage.sessions.getTurn(id, turnId);
      if (turn?.evidence.some(({ kind }) => kind === 'agent_end') === true) paused.resolve();
    };
    stage.sessions.on('output', () => {
      look().catch(paused.reject);
    });
    await stage.sessions.sendPrompt(id, 'Run it in the background.', { turnId });
    await paused.promise;
    await stage.sessions.cancel(id);
    expect((await stage.sessions.getTurn(id, turnId))?.state).toMatchObject({ outcome: 'cancelled' });
    expect((await stage.ask(id, 'Something else.')).text).toBe('Fresh start.');
    expect(stage.model.messages).toHaveLength(3);
  });

  it('right after it was accepted', async () => {
    await using stage = await stageFor(() => say('An answer.'));
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Quick.');
    await stage.sessions.cancel(id);
    expect((await stage.sessions.waitForTurn(id, turnId)).state).toMatchObject({
      outcome: expect.stringMatching(/^(cancelled|completed)$/),
    });
    expect((await stage.ask(id, 'Next.')).state).toMatchObject({ outcome: 'completed' });
    expect(promptTexts(stage.model.messages.at(-1)!)).toContain('Next.');
  });
});

describe('an agent in stream mode that needs a person', () => {
  const script = [bash('touch allowed'), say('Went on.')];

  async function asked(stage: Awaited<ReturnType<typeof stageFor>>, prompt: string) {
    const id = await stage.open({}, { permissionMode: 'default' });
    const question = Promise.withResolvers<SessionEvents['request']>();
    stage.sessions.on('request', question.resolve);
    const { turnId } = await stage.sessions.sendPrompt(id, prompt);
    const { request } = await question.promise;
    expect(request.turnId).toBe(turnId);
    expect((await stage.sessions.get(id))?.status).toBe('waiting_input');
    return { id, turnId, request };
  }

  it('waits for leave, and goes on with it', async () => {
    await using stage = await stageFor(script);
    const { id, turnId, request } = await asked(stage, 'Touch it.');
    expect(request).toMatchObject({ kind: 'permission', tool: 'Bash', input: { command: 'touch allowed' } });
    await stage.sessions.answerRequest(request.requestId, { behavior: 'allow' });
    expect((await stage.sessions.waitForTurn(id, turnId)).text).toBe('Went on.');
    expect(await readFile(join(stage.folder, 'allowed'), 'utf8')).toBe('');
  });

  it('is told why it may not', async () => {
    await using stage = await stageFor(script);
    const { id, turnId, request } = await asked(stage, 'Touch it.');
    await stage.sessions.answerRequest(request.requestId, { behavior: 'deny', message: 'Not on a Friday.' });
    expect((await stage.sessions.waitForTurn(id, turnId)).text).toBe('Went on.');
    expect(stage.model.messages[1]!.rawBody).toContain('Not on a Friday.');
    await expect(readFile(join(stage.folder, 'allowed'))).rejects.toThrow('ENOENT');
  });

  it('does what the person made of it', async () => {
    await using stage = await stageFor(script);
    const { id, turnId, request } = await asked(stage, 'Touch it.');
    await stage.sessions.answerRequest(request.requestId, {
      behavior: 'allow',
      updatedInput: { command: 'touch instead', description: 'Test' },
    });
    await stage.sessions.waitForTurn(id, turnId);
    expect(await readFile(join(stage.folder, 'instead'), 'utf8')).toBe('');
  });

  it('gets answers to its questions', async () => {
    const options = [
      { label: 'Red', description: 'r' },
      { label: 'Blue', description: 'b' },
    ];
    const questions = [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options }];
    await using stage = await stageFor([useTool('AskUserQuestion', { questions }), say('Blue it is.')]);
    const { id, turnId, request } = await asked(stage, 'Paint.');
    expect(request).toMatchObject({ kind: 'question', input: { questions: [{ question: 'Which colour?' }] } });
    await stage.sessions.answerRequest(request.requestId, {
      behavior: 'allow',
      updatedInput: { answers: { 'Which colour?': 'Blue' } },
    });
    expect((await stage.sessions.waitForTurn(id, turnId)).text).toBe('Blue it is.');
    expect(stage.model.messages[1]!.rawBody).toMatch(/Which colour\?\\+"=\\+"Blue/);
  });

  it('ends as needs_input where nobody is there, and can be used again', async () => {
    await using stage = await stageFor(script);
    const id = await stage.open({}, { permissionMode: 'default' });
    const turn = await stage.ask(id, 'Touch it.', { onNeedsPerson: 'interrupt' });
    expect(turn.state).toMatchObject({ outcome: 'needs_input', error: { class: 'permission' } });
    await expect(readFile(join(stage.folder, 'allowed'))).rejects.toThrow('ENOENT');
    expect(await stage.sessions.listRequests()).toEqual([]);
    expect((await stage.ask(id, 'Then say something.')).text).toBe('Went on.');
  });
});
