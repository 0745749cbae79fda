import type { Evidence, Words } from '@semo-office/core';
import { turnError } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import type { AgentIo } from '../../src/agent/agent-driver.ts';
import { withoutKnownSecrets } from '../../src/agent/known-secrets.ts';

const SECRET = 'tok_8f3a1c_of_a_test';

function heard(secrets: readonly string[]) {
  const evidence: Evidence[] = [];
  const words: Words[] = [];
  const asked: unknown[] = [];
  const io = {
    report: (each: Evidence) => evidence.push(each),
    tell: (each: Words) => words.push(each),
    ask: async (request: unknown) => {
      asked.push(request);
      return null;
    },
    lastWords: () => `It said ${SECRET}`,
    textSince: () => `It said ${SECRET}`,
  } as unknown as AgentIo;
  return { evidence, words, asked, io: withoutKnownSecrets(io, () => secrets) };
}

describe('what is told of an agent whose secrets are known', () => {
  it('has none of them', async () => {
    const { io, ...told } = heard([SECRET]);
    io.report({
      kind: 'agent_end',
      at: 1,
      text: `I have ${SECRET}.`,
      backgroundTasks: 0,
      error: turnError('sign_in_refused', `Unknown token ${SECRET}`),
    });
    io.report({ kind: 'lost', at: 2, error: turnError('agent_failed', SECRET) });
    io.tell({ by: 'agent', text: `Error: ${SECRET}` });
    const input = { command: `curl -H "Authorization: Bearer ${SECRET}"`, deep: [{ SECRET }] };
    await io.ask({ kind: 'permission', tool: 'Bash', input }, new AbortController().signal);
    expect(JSON.stringify([told, io.lastWords(), io.textSince(0)])).not.toContain(SECRET);
    expect(told.evidence[0]).toMatchObject({ text: 'I have [redacted].', error: { code: 'sign_in_refused' } });
    expect(told.asked).toEqual([
      {
        kind: 'permission',
        tool: 'Bash',
        input: { command: 'curl -H "Authorization: Bearer [redacted]"', deep: [{ SECRET: '[redacted]' }] },
      },
    ]);
  });

  it('is left as it is where there is nothing to take out', async () => {
    const { io, evidence, asked } = heard([SECRET, 'short']);
    const activity: Evidence = { kind: 'activity', at: 1 };
    io.report(activity);
    expect(evidence[0]).toBe(activity);
    const input = { say: 'short words stay' };
    await io.ask({ kind: 'question', input }, new AbortController().signal);
    expect(asked).toEqual([{ kind: 'question', input }]);
  });
});
