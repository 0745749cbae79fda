import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failWith, say, type ModelStep } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage, type ClaudeStage } from './claude-stage.ts';

const TOKEN = { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-of-a-test-0000000000000000' };

function usageLimit(resetsAt: number): ModelStep {
  return failWith(429, 'rate_limit_error', {
    headers: {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(resetsAt),
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    },
  });
}

const errorOf = (turn: { state: { kind: string; error?: unknown } }) => turn.state.error;

for (const kind of ['claude', 'claude-stream'] as const) {
  describe(`a limit of the API, told by ${kind}`, () => {
    it('is a quota with the time of its reset', async () => {
      const resetsAt = Math.floor(Date.now() / 1000) + 7200;
      await using stage = await claudeStage(() => usageLimit(resetsAt), { kind, hostEnv: TOKEN, maxRetries: 0 });
      const error = errorOf(await stage.ask(await stage.open(), 'Hello.'));
      expect(error).toMatchObject({ code: 'agent_rate_limited', class: 'rate_limit', retryable: true, limit: 'quota' });
      const { retryAt } = error as { retryAt: number };
      // The sentence in a terminal leaves the seconds out.
      const latest = resetsAt * 1000 + (kind === 'claude' ? 60_000 : 0);
      expect(retryAt).toBeLessThanOrEqual(latest);
      expect(retryAt).toBeGreaterThanOrEqual(resetsAt * 1000);
    }, 30_000);

    it('is a spending limit, not a mistake of the request', async () => {
      const message =
        'You have reached your specified API usage limits. You will regain access on 2036-12-01 at 00:00 UTC.';
      const refused = failWith(400, 'invalid_request_error', { message });
      await using stage = await claudeStage(() => refused, { kind, maxRetries: 0 });
      expect(errorOf(await stage.ask(await stage.open(), 'Hello.'))).toMatchObject({
        code: 'agent_rate_limited',
        limit: 'quota',
        retryAt: Date.UTC(2036, 11, 1),
      });
    }, 30_000);

    it('has no time where the CLI keeps it to itself', async () => {
      const refused = failWith(429, 'rate_limit_error', { headers: { 'retry-after': '3600' } });
      await using stage = await claudeStage(() => refused, { kind, maxRetries: 0 });
      const error = errorOf(await stage.ask(await stage.open(), 'Hello.'));
      expect(error).toMatchObject({ code: 'agent_rate_limited', limit: 'rate' });
      expect(error).not.toHaveProperty('retryAt');
    }, 30_000);
  });
}

describe('a short limit in stream mode', () => {
  it('is waited for as long as it was stated for the repeat before', async () => {
    const refused = failWith(429, 'rate_limit_error', { headers: { 'retry-after': '3' } });
    await using stage = await claudeStage(() => refused, { kind: 'claude-stream', maxRetries: 1 });
    const turn = await stage.ask(await stage.open(), 'Hello.');
    const { retryAt } = errorOf(turn) as { retryAt: number };
    const endedAt = turn.state.kind === 'ended' ? turn.state.at : Number.NaN;
    expect(retryAt - endedAt).toBeGreaterThanOrEqual(3000);
    expect(retryAt - endedAt).toBeLessThanOrEqual(3750);
  }, 30_000);
});

/** Resolves with the screen once it shows `text`. */
async function screenWith({ sessions }: ClaudeStage, sessionId: string, text: string): Promise<string> {
  const shown = Promise.withResolvers<string>();
  const look = async () => {
    const screen = await sessions.getOutput(sessionId, { as: 'screen' });
    const rows = screen.as === 'screen' ? screen.lines.join('\n') : '';
    if (rows.includes(text)) shown.resolve(rows);
  };
  const stop = sessions.on('output', () => void look().catch(shown.reject));
  await look();
  return shown.promise.finally(stop);
}

describe('Claude Code in a terminal at a usage limit', () => {
  it('is kept from going on by itself when it resets, and takes the next prompt', async () => {
    const steps = [usageLimit(Math.floor(Date.now() / 1000) + 7200)];
    await using stage = await claudeStage(() => steps.shift() ?? say('Fine.'), { hostEnv: TOKEN, maxRetries: 0 });
    const sessionId = await stage.open();
    expect(errorOf(await stage.ask(sessionId, 'Hello.'))).toMatchObject({ limit: 'quota' });
    const screen = await screenWith(stage, sessionId, 'Automatic continue cancelled');
    expect(screen).not.toContain('Continuing automatically at');
    expect((await stage.ask(sessionId, 'And now?')).text).toBe('Fine.');
    expect(stage.model.requests).toHaveLength(2);
  }, 30_000);

  it('is kept from asking what to do where the settings of a user make it ask', async () => {
    const steps = [usageLimit(Math.floor(Date.now() / 1000) + 7200)];
    await using stage = await claudeStage(() => steps.shift() ?? say('Fine.'), { hostEnv: TOKEN, maxRetries: 0 });
    await mkdir(join(stage.folder, '.claude'));
    await writeFile(join(stage.folder, '.claude', 'settings.json'), '{"autoContinueAtUsageLimit":false}');
    const sessionId = await stage.open();
    expect(errorOf(await stage.ask(sessionId, 'Hello.'))).toMatchObject({ limit: 'quota' });
    expect((await stage.ask(sessionId, 'And now?', { timeoutMs: 10_000 })).text).toBe('Fine.');
  }, 30_000);
});
