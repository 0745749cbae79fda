import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type AgentSpec } from '@semo-office/core';
import { hang, promptTexts, say, type ModelRequest, type ModelStep } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createPtySessionManager } from '../../src/index.ts';
import { afterDeath, type AfterDeath, type FatedPrompt } from './dying-host.ts';

const STREAM: AgentSpec = { kind: 'claude-stream', permissionMode: 'bypassPermissions' };
const TERMINAL: AgentSpec = { kind: 'claude', permissionMode: 'bypassPermissions' };
const KEPT = { keepConversation: true } as const;
const HANG = 'Think for ever.';

const answer = (request: ModelRequest): ModelStep =>
  promptTexts(request).at(-1)?.trim() === HANG ? hang() : say('The sum is 42.');
const ask = (prompt: string, more: Partial<FatedPrompt> = {}): FatedPrompt => ({
  prompt,
  turnId: newId('turn'),
  ...more,
});

/** How often the model has been told a prompt, whatever for. */
const times = ({ model }: AfterDeath, prompt: string): number =>
  model.messages.filter((request) => promptTexts(request).at(-1)?.trim() === prompt).length;

describe('a prompt of Claude Code in stream mode whose host was killed', () => {
  it('is unknown where nothing was to be sent yet, and so can be sent', async () => {
    const first = ask(HANG, { wait: 'accepted' });
    const second = ask('Add 20 and 22.');
    const dieAt = { when: 'before', step: 'intent', turnId: second.turnId } as const;
    await using after = await afterDeath({ agent: STREAM, prompts: [first, second], dieAt, model: answer });
    const { next, sessionId } = after;
    expect(await next.getTurn(sessionId, second.turnId)).toBeNull();
    await expect(next.waitForTurn(sessionId, second.turnId)).rejects.toMatchObject({ code: 'turn_unknown' });
    expect(times(after, second.prompt)).toBe(0);
  });

  it('never arrived where it was only to be sent; the one before it was cut short', async () => {
    const first = ask(HANG, { wait: 'accepted' });
    const second = ask('Add 20 and 22.');
    const dieAt = { when: 'after', step: 'intent', turnId: second.turnId } as const;
    await using after = await afterDeath({
      agent: STREAM,
      prompts: [first, second],
      dieAt,
      model: answer,
      written: HANG,
    });
    const { next, sessionId } = after;
    const waiting = await next.waitForTurn(sessionId, second.turnId);
    expect(waiting.state).toMatchObject({ outcome: 'failed', error: { code: 'prompt_not_accepted', retryable: true } });
    const running = await next.waitForTurn(sessionId, first.turnId);
    expect(running.state).toMatchObject({
      outcome: 'crashed',
      confidence: 'certain',
      error: { code: 'agent_crashed' },
    });
    expect(times(after, second.prompt)).toBe(0);
  });

  it.each([
    // Nothing was written of it at all.
    { when: 'before', turn: null },
    { when: 'after', turn: { state: { outcome: 'failed', error: { code: 'prompt_not_accepted' } } } },
  ] as const)('is not in a transcript that others are in, $when it was submitted', async ({ when, turn }) => {
    const first = ask('Add 20 and 22.', { wait: 'ended' });
    const second = ask('Add 1 and 41.');
    const dieAt = { when, step: 'submitted', turnId: second.turnId } as const;
    await using after = await afterDeath({ agent: STREAM, prompts: [first, second], dieAt, model: answer });
    const { next, sessionId } = after;
    const kept = [await next.getTurn(sessionId, first.turnId), await next.getTurn(sessionId, second.turnId)];
    expect(kept).toMatchObject([{ text: 'The sum is 42.' }, turn]);
    expect(times(after, second.prompt)).toBe(0);
  });

  it('cannot be decided where no transcript was begun', async () => {
    const only = ask('Add 20 and 22.');
    const dieAt = { when: 'after', step: 'submitted', turnId: only.turnId } as const;
    await using after = await afterDeath({ agent: STREAM, prompts: [only], dieAt, model: answer });
    const turn = await after.next.waitForTurn(after.sessionId, only.turnId);
    expect(turn.state).toMatchObject({ outcome: 'unknown', error: { code: 'delivery_unknown', retryable: false } });
  });

  it.each(['before', 'after'] as const)(
    'was at work, %s that was written: it is resumed and not sent again',
    async (when) => {
      const first = ask('Add 20 and 22.', { wait: 'ended' });
      const second = ask(HANG);
      const dieAt = { when, step: 'accepted', turnId: second.turnId } as const;
      const agent = { ...STREAM, ...KEPT };
      await using after = await afterDeath({ agent, prompts: [first, second], dieAt, model: answer, written: HANG });
      const { next, sessionId } = after;
      const turn = await next.waitForTurn(sessionId, second.turnId);
      expect(turn.state).toMatchObject({ outcome: 'crashed', error: { code: 'agent_crashed' } });
      const resume = (await next.get(sessionId))?.agent.conversationId ?? '';
      const going = await next.create(after.spec({ ...agent, resume }));
      const { turnId } = await next.sendPrompt(going.sessionId, 'Go on.');
      expect((await next.waitForTurn(going.sessionId, turnId)).text).toBe('The sum is 42.');
      expect(promptTexts(after.model.messages.at(-1)!)).toEqual(expect.arrayContaining([HANG, 'Go on.']));
      expect(times(after, HANG)).toBeLessThanOrEqual(1);
    },
  );

  it.each([
    { when: 'before', step: 'accepted' },
    { when: 'before', step: 'ended' },
    { when: 'after', step: 'ended' },
  ] as const)(
    'was finished by an agent that outlived its host, which died $when it wrote $step',
    async ({ when, step }) => {
      const only = ask('Add 20 and 22.');
      const dieAt = { when, step, turnId: only.turnId };
      await using after = await afterDeath({ agent: STREAM, prompts: [only], dieAt, model: answer, agentFirst: true });
      const { next, sessionId } = after;
      const turn = await next.waitForTurn(sessionId, only.turnId);
      expect(turn).toMatchObject({ text: 'The sum is 42.', turnId: only.turnId, sessionId });
      expect(turn.state).toMatchObject({
        outcome: 'completed',
        confidence: 'certain',
        decidedBy: 'agent_end',
        error: null,
      });
      expect(await next.getTurn(sessionId, only.turnId)).toEqual(turn);
      expect(times(after, only.prompt)).toBe(1);
    },
  );

  it('was at work, beside a host that lived already: its agent is ended, and the turn is settled when it is asked for', async () => {
    const only = ask(HANG);
    const dieAt = { when: 'after', step: 'accepted', turnId: only.turnId } as const;
    const agent = { ...STREAM, ...KEPT };
    await using after = await afterDeath({
      agent,
      prompts: [only],
      dieAt,
      model: answer,
      besides: true,
      written: HANG,
    });
    const { next, sessionId, stateDir } = after;
    expect(await next.get(sessionId)).toMatchObject({ status: 'terminated' });
    const turn = await next.waitForTurn(sessionId, only.turnId);
    expect(turn.state).toMatchObject({ outcome: 'crashed', error: { code: 'agent_crashed' } });
    expect(await readdir(join(stateDir, 'sessions')).catch(() => [])).toEqual([]);
  });

  it('is told from the same words sent before', async () => {
    const [first, second] = [ask('Add 20 and 22.', { wait: 'ended' }), ask('Add 20 and 22.')];
    const dieAt = { when: 'after', step: 'submitted', turnId: second.turnId } as const;
    await using after = await afterDeath({ agent: STREAM, prompts: [first, second], dieAt, model: answer });
    const turn = await after.next.waitForTurn(after.sessionId, second.turnId);
    expect(turn.state).toMatchObject({ outcome: 'failed', error: { code: 'prompt_not_accepted' } });
  });
});

describe('a prompt of Claude Code in a terminal whose host was killed', () => {
  it('is not in a transcript that others are in', async () => {
    const [first, second] = [ask('Add 20 and 22.', { wait: 'written' }), ask('Add 1 and 41.')];
    const dieAt = { when: 'after', step: 'submitted', turnId: second.turnId } as const;
    await using after = await afterDeath({ agent: TERMINAL, prompts: [first, second], dieAt, model: answer });
    const turn = await after.next.waitForTurn(after.sessionId, second.turnId);
    expect(turn.state).toMatchObject({ outcome: 'failed', error: { code: 'prompt_not_accepted' } });
  });

  it('was finished, or was at work, as its transcript says', async () => {
    const many = Array.from({ length: 9 }, (_, line) => `${line}:\tadd`).join('\n');
    const [first, second] = [ask(many, { wait: 'accepted' }), ask(HANG)];
    const dieAt = { when: 'after', step: 'accepted', turnId: second.turnId } as const;
    await using after = await afterDeath({ agent: TERMINAL, prompts: [first, second], dieAt, model: answer });
    const { next, sessionId } = after;
    expect((await next.waitForTurn(sessionId, first.turnId)).text).toBe('The sum is 42.');
    const { state } = await next.waitForTurn(sessionId, second.turnId);
    // A transcript is written a little later than the agent acts.
    expect(['agent_crashed', 'delivery_unknown']).toContain(state.kind === 'ended' ? state.error?.code : null);
  });
});

describe('a prompt of an agent without a transcript whose host was killed', () => {
  it.each(['submitted', 'accepted'] as const)('cannot be decided after it was %s', async (step) => {
    const only = ask('sleep 100');
    const dieAt = { when: 'after', step, turnId: only.turnId } as const;
    await using after = await afterDeath({ agent: { kind: 'shell' }, prompts: [only], dieAt, model: answer });
    const turn = await after.next.waitForTurn(after.sessionId, only.turnId);
    expect(turn.state).toMatchObject({ outcome: 'unknown', error: { code: 'delivery_unknown' } });
  });
});

describe('a session whose host was killed', () => {
  it('is known as terminated, also to the host after the next, and nothing of it is left', async () => {
    const only = ask('Add 20 and 22.', { wait: 'ended' });
    const late = ask('true');
    const dieAt = { when: 'after', step: 'submitted', turnId: late.turnId } as const;
    await using after = await afterDeath({ agent: STREAM, prompts: [only, late], dieAt, model: answer });
    const { next, sessionId } = after;
    const info = await next.get(sessionId);
    expect(info).toMatchObject({ status: 'terminated', exit: null, terminalId: null, turnId: null });
    expect(info?.agent.conversationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await next.list()).toEqual([]);
    await next.terminate(sessionId);
    await next.terminate(sessionId);
    const calls = [
      () => next.sendPrompt(sessionId, 'x'),
      () => next.cancel(sessionId),
      () => next.sendText(sessionId, 'x'),
      () => next.getOutput(sessionId),
      () => next.resize(sessionId, { cols: 80, rows: 24 }),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'session_terminated' });
    const again = next.create({ ...after.spec(STREAM), sessionId });
    await expect(again).rejects.toMatchObject({ code: 'session_conflict' });
    await expect(next.getTurn('ses_never', 'turn_x')).rejects.toMatchObject({ code: 'session_unknown' });
    await expect(next.terminate('ses_never')).rejects.toMatchObject({ code: 'session_unknown' });
    await next.close();
    const later = createPtySessionManager({ stateDir: after.stateDir, hostId: 'host' });
    expect(await later.get(sessionId)).toEqual(info);
    expect((await later.waitForTurn(sessionId, only.turnId)).text).toBe('The sum is 42.');
    await later.close();
    expect((await readdir(after.stateDir)).filter((name) => !name.startsWith('.'))).toEqual(['history']);
    expect(await readdir(join(after.stateDir, 'history'))).toEqual([sessionId]);
  });
});
