import { describe, expect, it } from 'vitest';

import { TURN_EVENTS } from '../../src/agent/claude-hook-listener.ts';
import { hookSettings } from '../../src/agent/claude-hook-settings.ts';

const ENDPOINT = { url: 'http://127.0.0.1:1', token: 'secret' };

describe('settings with hooks of ours', () => {
  it('send every event of a turn to our listener, with the token', () => {
    const { hooks } = hookSettings(ENDPOINT, { turns: true, guard: false });
    expect(Object.keys(hooks as object)).toEqual([...TURN_EVENTS]);
    expect(JSON.stringify(hooks)).toContain('Bearer secret');
  });

  it('have a guard that fails closed, and is asked of every file tool', () => {
    const { hooks } = hookSettings(ENDPOINT, { turns: false, guard: true });
    expect(hooks).toEqual({
      PreToolUse: [
        {
          matcher: 'Write|Edit|MultiEdit|NotebookEdit',
          hooks: [expect.objectContaining({ type: 'http', onFailure: 'block', url: 'http://127.0.0.1:1/PreToolUse' })],
        },
      ],
    });
  });
});
