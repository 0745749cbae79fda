import { describe, expect, it } from 'vitest';

import { sessionTag } from '../../src/process/session-evidence.ts';

describe('sessionTag', () => {
  it.each([
    ['A=1\0SEMO_SESSION_ID=ses_1\0B=2\0', 'ses_1'],
    ['SEMO_SESSION_ID=ses_2\0', 'ses_2'],
    ['SEMO_SESSION_ID=ses_3', 'ses_3'],
    ['XSEMO_SESSION_ID=ses_4\0', null],
    ['A=SEMO_SESSION_ID=ses_5\0', null],
    ['', null],
  ])('in %j', (environment, tag) => {
    expect(sessionTag(new TextEncoder().encode(environment))).toBe(tag);
  });
});
