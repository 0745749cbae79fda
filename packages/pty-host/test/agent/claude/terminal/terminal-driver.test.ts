import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionEvents } from '@semo-office/core';
import { failWith, fromSubagent, hang, promptTexts, routeScripts, say, useTool, userTexts } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../claude-stage.ts';

const bash = (command: string, more: Record<string, unknown> = {}) =>
  useTool('Bash', { command, description: 'Test', ...more });

describe('a turn of Claude Code in a terminal', () => {
  it('is completed by the agent’s own word, after real work', async () => {
    await using stage = await claudeStage([bash('printf "made by the agent" > made.txt'), say('All done.')]);
    const { sessionId, status, agent } = await stage.sessions.create(stage.spec());
    expect(status).toBe('ready');
    expect(agent.version).toMatch(/^2\./);
    const turn = await stage.ask(sessionId, 'Make the file.');
    expect(turn.state).toMatchObject({
      kind: 'ended',
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
    });
    expect(turn.text).toBe('All done.');
    expect(await readFile(join(stage.folder, 'made.txt'), 'utf8')).toBe('made by the agent');
  });

  it('keeps the conversation from turn to turn, and forgets it on reset', async () => {
    await using stage = await claudeStage(() => say('Noted.'));
    const id = await stage.open();
    await stage.ask(id, 'The word is kumquat.');
    await stage.ask(id, 'And again?');
    expect(promptTexts(stage.model.messages[1]!).join('\n')).toContain('kumquat');
    await stage.sessions.reset(id);
    await stage.ask(id, 'What was the word?');
    expect(stage.model.messages[2]!.rawBody).not.toContain('kumquat');
    expect(promptTexts(stage.model.messages[2]!)).toContain('What was the word?');
  });

  it('is not over while a background task runs', async () => {
    await using stage = await claudeStage([
      bash('sleep 1', { run_in_background: true }),
      say('Started it.'),
      say('It is done.'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Run it in the background.');
    expect(turn.text).toBe('It is done.');
    expect(turn.evidence.filter(({ kind }) => kind === 'agent_end')).toMatchObject([
      { backgroundTasks: 1 },
      { backgroundTasks: 0 },
    ]);
  });

  it('is neither ended nor spoken for by a subagent', async () => {
    await using stage = await claudeStage(
      routeScripts([{ when: fromSubagent, script: [say('[SEMO:DONE] All tests passed.')] }], {
        otherwise: [
          useTool('Agent', { description: 'Sub', prompt: 'Work.', subagent_type: 'general-purpose' }),
          say('I wait for it.'),
          say('It is over.'),
        ],
      }),
    );
    const id = await stage.open();
    const turn = await stage.ask(id, 'Have it done.', { require: 'marker' });
    expect(turn.text).not.toContain('SEMO:DONE');
    expect(turn.state).toMatchObject({ outcome: 'failed', decidedBy: 'agent_end', error: { code: 'marker_missing' } });
    expect(turn.milestones).toEqual([]);
  });

  it.each([
    { answer: failWith(529, 'overloaded_error'), code: 'agent_overloaded', errorClass: 'overloaded' },
    {
      answer: failWith(429, 'rate_limit_error', { headers: { 'retry-after': '3600' } }),
      code: 'agent_rate_limited',
      errorClass: 'rate_limit',
    },
    { answer: failWith(401, 'authentication_error'), code: 'sign_in_refused', errorClass: 'auth' },
    { answer: failWith(400, 'invalid_request_error'), code: 'agent_rejected', errorClass: 'invalid_request' },
  ])('fails as $code when the model’s API does', async ({ answer, code, errorClass }) => {
    await using stage = await claudeStage(() => answer, { maxRetries: 0 });
    const id = await stage.open();
    const turn = await stage.ask(id, 'Try.');
    expect(turn.state).toMatchObject({
      kind: 'ended',
      outcome: 'failed',
      decidedBy: 'agent_end',
      error: { code, class: errorClass },
    });
  });

  it('tells a model that nobody serves from one that is busy, and a refused credential from both', async () => {
    // A port that nothing listens at: the lowest are not given out.
    const hostEnv = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' };
    await using alone = await claudeStage([], { maxRetries: 0, hostEnv });
    expect((await alone.ask(await alone.open(), 'Try.')).state).toMatchObject({
      outcome: 'failed',
      error: { code: 'model_unreachable', class: 'not_found' },
    });
    await using refused = await claudeStage(() => failWith(401, 'authentication_error'), { maxRetries: 0 });
    const message = expect.stringMatching(/ANTHROPIC_API_KEY.*claude setup-token/) as string;
    expect((await refused.ask(await refused.open(), 'Try.')).state).toMatchObject({ error: { message } });
  });

  it('needs the marker where that is required', async () => {
    await using stage = await claudeStage([say('I think so.'), say('Yes. [SEMO:DONE]')]);
    const id = await stage.open();
    expect((await stage.ask(id, 'End with [SEMO:DONE].', { require: 'marker' })).state).toMatchObject({
      outcome: 'failed',
      error: { code: 'marker_missing' },
    });
    expect((await stage.ask(id, 'End with [SEMO:DONE].', { require: 'marker' })).state).toMatchObject({
      outcome: 'completed',
    });
  });

  it('is heard also in a repository whose settings turn hooks off', async () => {
    await using stage = await claudeStage([say('Heard.')]);
    await mkdir(join(stage.folder, '.claude'));
    await writeFile(join(stage.folder, '.claude', 'settings.json'), JSON.stringify({ disableAllHooks: true }));
    const id = await stage.open();
    expect((await stage.ask(id, 'Speak.')).text).toBe('Heard.');
  });

  it('crashes with the agent, and the session with it', async () => {
    await using stage = await claudeStage([hang()]);
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Wait.');
    const exit = Promise.withResolvers<SessionEvents['exit']>();
    stage.sessions.on('exit', exit.resolve);
    process.kill(Number((await stage.sessions.get(id))?.terminalId), 'SIGKILL');
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn.state).toMatchObject({
      outcome: 'crashed',
      decidedBy: 'exit',
      error: { code: 'agent_crashed', class: 'crash' },
    });
    expect(await exit.promise).toMatchObject({ sessionId: id, signal: 'SIGKILL' });
    await expect(stage.sessions.sendPrompt(id, 'Still there?')).rejects.toMatchObject({ code: 'session_terminated' });
  });

  it('times out, and the agent is usable again', async () => {
    // By the prompt, not in order: on a busy machine the time is up before the model has been asked.
    await using stage = await claudeStage((request) =>
      promptTexts(request).at(-1)?.trim() === 'Are you there?' ? say('Back again.') : hang(),
    );
    const id = await stage.open();
    const turn = await stage.ask(id, 'Wait.', { timeoutMs: 1000 });
    expect(turn.state).toMatchObject({ outcome: 'timed_out', decidedBy: 'timeout' });
    expect((await stage.ask(id, 'Are you there?')).text).toBe('Back again.');
  });
});

describe('cancelling a turn of Claude Code', () => {
  it('before its first word, with a prompt of several lines, leaves nothing in the box', async () => {
    await using stage = await claudeStage([hang(), say('Fresh start.')]);
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

  it('in the middle of its words', async () => {
    await using stage = await claudeStage([hang({ text: 'I am working on' }), say('Fresh start.')]);
    const id = await stage.open();
    await stage.sessions.sendPrompt(id, 'Go on.');
    await stage.model.waitForRequest(() => true);
    await stage.sessions.cancel(id);
    expect((await stage.ask(id, 'Something else.')).text).toBe('Fresh start.');
  });

  it('while a command runs, ends the command', async () => {
    await using stage = await claudeStage([bash('echo started > started; sleep 300'), say('Fresh start.')]);
    const id = await stage.open();
    await stage.sessions.sendPrompt(id, 'Sleep.');
    await stage.model.waitForRequest(({ outcome }) => outcome.kind === 'answered');
    await stage.sessions.cancel(id);
    expect((await stage.ask(id, 'Something else.')).text).toBe('Fresh start.');
  });

  it('right after it was accepted', async () => {
    await using stage = await claudeStage(() => say('An answer.'));
    const id = await stage.open();
    const { turnId } = await stage.sessions.sendPrompt(id, 'Quick.');
    await stage.sessions.cancel(id);
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn.state).toMatchObject({ kind: 'ended', outcome: expect.stringMatching(/^(cancelled|completed)$/) });
    const next = await stage.ask(id, 'Next.');
    expect(next.state).toMatchObject({ outcome: 'completed' });
    expect(promptTexts(stage.model.messages.at(-1)!)).toContain('Next.');
  });
});

describe('an agent that needs a person', () => {
  const script = [bash('touch allowed'), say('Went on.')];

  it('waits for the answer, and goes on with it', async () => {
    await using stage = await claudeStage(script);
    const id = await stage.open({}, { permissionMode: 'default' });
    const asked = Promise.withResolvers<SessionEvents['request']>();
    stage.sessions.on('request', asked.resolve);
    const { turnId } = await stage.sessions.sendPrompt(id, 'Touch it.');
    const { request } = await asked.promise;
    expect(request).toMatchObject({ kind: 'permission', tool: 'Bash', input: { command: 'touch allowed' }, turnId });
    expect((await stage.sessions.get(id))?.status).toBe('waiting_input');
    expect(await stage.sessions.listRequests({ sessionId: id })).toHaveLength(1);
    await stage.sessions.answerRequest(request.requestId, { behavior: 'allow' });
    expect((await stage.sessions.waitForTurn(id, turnId)).text).toBe('Went on.');
    expect(await readFile(join(stage.folder, 'allowed'), 'utf8')).toBe('');
    await expect(stage.sessions.answerRequest(request.requestId, { behavior: 'allow' })).rejects.toMatchObject({
      code: 'request_unknown',
    });
  });

  it('ends as needs_input where nobody is there, and can be used again', async () => {
    await using stage = await claudeStage(script);
    const id = await stage.open({}, { permissionMode: 'default' });
    const turn = await stage.ask(id, 'Touch it.', { onNeedsPerson: 'interrupt' });
    expect(turn.state).toMatchObject({
      outcome: 'needs_input',
      decidedBy: 'needs_input',
      error: { class: 'permission' },
    });
    await expect(readFile(join(stage.folder, 'allowed'))).rejects.toThrow('ENOENT');
    expect(await stage.sessions.listRequests()).toEqual([]);
    expect((await stage.ask(id, 'Then say something.')).text).toBe('Went on.');
  });
});
