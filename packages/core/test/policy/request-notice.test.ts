import { describe, expect, it } from 'vitest';

import { noticeSchema, type HumanRequest, type SettledState } from '../../src/index.ts';
import { openedNotice, settledNotice } from '../../src/policy/request-notice.ts';

const request = (input: unknown, more: Partial<HumanRequest> = {}): HumanRequest => ({
  requestId: 'req_1',
  sessionId: 'ses_1',
  turnId: 'turn_1',
  kind: 'permission',
  tool: 'Bash',
  input,
  askedAt: 7,
  ...more,
});

describe('what people are told', () => {
  it('is a sentence, with the facts beside it', () => {
    const notice = openedNotice(request({ command: 'npm publish', description: 'Publish' }, { expiresAt: 9 }));
    expect(noticeSchema.parse(notice)).toEqual(notice);
    expect(notice).toEqual({
      kind: 'request_opened',
      sentence: 'Session ses_1 asks leave to use Bash: npm publish (request req_1)',
      requestId: 'req_1',
      sessionId: 'ses_1',
      turnId: 'turn_1',
      at: 7,
      for: 'permission',
      tool: 'Bash',
      input: { command: 'npm publish', description: 'Publish' },
      expiresAt: 9,
    });
  });

  it('is the question, where it is one', () => {
    const questions = [{ question: 'Which colour?', options: [{ label: 'Red' }, { label: 'Blue' }] }];
    const asked = request({ questions }, { kind: 'question', tool: 'AskUserQuestion' });
    expect(openedNotice(asked).sentence).toBe('Session ses_1 asks: Which colour? (Red, Blue) (request req_1)');
    expect(openedNotice(request(undefined, { kind: 'question' })).sentence).toContain('asks: a question');
  });

  it.each([
    [{ kind: 'answered', answer: { behavior: 'allow' }, by: 'Mina', at: 9, givenAt: 9 }, 'allowed by Mina'],
    [
      { kind: 'answered', answer: { behavior: 'deny', message: '' }, by: 'rule r', at: 9, givenAt: null },
      'denied by rule r',
    ],
    [{ kind: 'withdrawn', why: 'turn_over', at: 9 }, 'withdrawn'],
    [{ kind: 'expired', at: 9 }, 'expired'],
  ] as const)('is what became of it: %j', (state: SettledState, outcome) => {
    const notice = settledNotice(request({}), state);
    expect(noticeSchema.parse(notice)).toEqual(notice);
    expect(notice.sentence).toBe(
      `The request for Bash (req_1) of session ses_1 ${outcome === 'expired' ? 'has' : 'was'} ${outcome}.`,
    );
  });

  it.each([
    ['export GITHUB_TOKEN=abcdef123', 'abcdef123'],
    ['deploy --api-key hunter2 --now', 'hunter2'],
    [`curl -H 'Authorization: Bearer abc.def'`, 'abc.def'],
    ['git push https://me:hunter2@example.com/x', 'hunter2'],
    ['echo sk-ant-REDACTED', 'api03'],
    ['echo ghp_0123456789abcdef', 'ghp_0'],
    ['aws AKIAIOSFODNN7EXAMPLE', 'AKIA'],
    ['jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig', 'eyJ'],
    ['curl https://hooks.slack.com/services/T0/B0/xyz', 'xyz'],
    ['{"password": "hunter2 and more"}', 'hunter2'],
    ['x aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3 y', 'aB3dE5'],
    ['-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----', 'MIIabc'],
  ])('holds no credential: %j', (command, secret) => {
    const told = JSON.stringify(openedNotice(request({ command })));
    expect(told).not.toContain(secret);
    expect(told).toContain('[redacted]');
  });

  it('keeps what is none', () => {
    const command = 'git show 0123456789abcdef0123456789abcdef01234567 -- src/token-reader.ts # the token is new';
    expect(openedNotice(request({ command })).sentence).toContain(command);
  });

  it('hides fields by their names, and cuts what is long, wide or deep', () => {
    const notice = openedNotice(
      request({
        password: { nested: 'hunter2' },
        content: 'word '.repeat(100_000),
        list: Array.from({ length: 100 }, (_, index) => index),
        deep: { a: { b: { c: { d: 'too deep' } } } },
      }),
    );
    const told = JSON.stringify(notice);
    expect(told).not.toContain('hunter2');
    expect(told).not.toContain('too deep');
    expect(told.length).toBeLessThan(3000);
    expect(notice.sentence.length).toBeLessThan(1100);
  });

  it('cuts nothing into half a character', () => {
    const long = 'a '.repeat(200);
    const isWhole = (told: unknown) => !/\\ud[89a-f]/.test(JSON.stringify(told));
    for (let at = 290; at < 310; at += 1) {
      const command = `${long.slice(0, at)}🎉${long}`;
      expect(openedNotice(request({ command, deep: [command] }))).toSatisfy(isWhole);
    }
    const questions = Array.from({ length: 9 }, () => ({ question: '🎉'.repeat(150) }));
    for (const more of ['', 'x'])
      expect(openedNotice(request({ questions }, { kind: 'question', sessionId: `s${more}` }))).toSatisfy(isWhole);
  });

  it('is ready at once, also for what would be slow to search', () => {
    const texts = ['-'.repeat(50_000), 'a'.repeat(1_000_000), '--token'.repeat(20_000), '://a:'.repeat(20_000)];
    for (const command of texts) expect(openedNotice(request({ command })).sentence.length).toBeLessThan(1100);
  });
});
