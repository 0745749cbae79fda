import { describe, expect, it } from 'vitest';

import { jobPrompt } from '../../src/job/job-prompt.ts';

const first = { prompt: 'Fix it.', context: {}, reason: 'first', remembers: false } as const;

describe('what an agent is told', () => {
  it('is the prompt, byte for byte, if there is nothing to add', () => {
    expect(jobPrompt(first)).toBe('Fix it.');
    expect(jobPrompt({ ...first, reason: 'capacity' })).toBe('Fix it.');
  });

  it('has the context of the job after it', () => {
    const context = { issue: '#12', log: 'one\ntwo' };
    expect(jobPrompt({ ...first, context })).toBe('Fix it.\n\nContext:\n- issue: #12\n- log:\none\ntwo');
  });

  it('begins with what became of the attempt before, and says where its work is', () => {
    const crashed = jobPrompt({ ...first, reason: 'crash', remembers: true });
    expect(crashed).toMatch(/^The last attempt .* ended unexpectedly\. .*in this conversation and in this folder/);
    expect(crashed).toMatch(/\n\nFix it\.$/);
    expect(jobPrompt({ ...first, reason: 'timeout' })).toContain('though not in this conversation');
  });
});
