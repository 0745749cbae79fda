import { describe, expect, it } from 'vitest';

import { refusalError } from '../../src/database/refusal.ts';

describe('refusalError', () => {
  it('gives what our functions refuse as they say it', () => {
    const error = refusalError({
      message: 'There is no session s1.',
      code: 'P0001',
      hint: 'session_unknown',
      details: '{"sessionId":"s1"}',
      status: 400,
    });
    expect(error).toMatchObject({
      code: 'session_unknown',
      message: 'There is no session s1.',
      details: { sessionId: 's1' },
    });
  });

  it.each([
    [{ code: '42501', hint: 'not_permitted', status: 403 }, 'sign_in_refused'],
    [{ code: '42501', status: 403 }, 'sign_in_refused'],
    [{ code: 'PGRST301', status: 401 }, 'sign_in_refused'],
    [{ code: 'PGRST303', status: 401 }, 'sign_in_refused'],
    [{ code: 'PGRST202', status: 404 }, 'store_unusable'],
    [{ code: '22P05', status: 400 }, 'invalid_argument'],
    [{ code: '22P02', status: 400, message: 'invalid input syntax for type json' }, 'invalid_argument'],
    [{ code: '23514', status: 400, message: 'new row … "agent_commands_command_id_check"' }, 'invalid_argument'],
    [{ code: '23514', status: 400, message: 'new row … "session_hosts_capacity_check"' }, 'internal'],
    [{ code: '', status: 0 }, 'host_lost'],
    [{ status: 503 }, 'host_lost'],
    [{ status: 429 }, 'host_lost'],
    [{ code: '22P02', status: 400 }, 'internal'],
    [{ code: 'P0001', hint: 'constructor', status: 400 }, 'internal'],
  ])('%j is %s, and repeats nothing that was sent', (error, code) => {
    const refusal = refusalError({ message: 'invalid input: "sb_secret_123"', ...error });
    expect(refusal.code).toBe(code);
    expect(refusal.message).not.toContain('sb_secret');
  });
});
