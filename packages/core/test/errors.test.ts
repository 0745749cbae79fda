import { describe, expect, it } from 'vitest';

import { ERROR_CLASSES, ERROR_CODES, SemoError, assertNever, isSemoError, type ErrorCode } from '../src/index.ts';

describe('SemoError', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('gives %s its class and whether trying again can help', (code) => {
    const error = new SemoError(code, 'What happened.');
    expect(ERROR_CLASSES).toContain(error.class);
    expect({ class: error.class, retryable: error.retryable }).toEqual(ERROR_CODES[code]);
    expect(error).toMatchObject({ name: 'SemoError', code, message: 'What happened.', details: {} });
    expect('cause' in error).toBe(false);
  });

  it('lets class, retryability, details and cause be said', () => {
    const cause = new Error('deeper');
    const error = new SemoError('internal', 'x', { class: 'overloaded', retryable: true, details: { n: 1 }, cause });
    expect(error).toMatchObject({ class: 'overloaded', retryable: true, details: { n: 1 }, cause });
  });

  it('is made from anything that was thrown', () => {
    const ours = new SemoError('closed', 'x');
    expect(SemoError.from(ours)).toBe(ours);
    expect(SemoError.from(new DOMException('stop', 'AbortError')).code).toBe('aborted');
    expect(SemoError.from(new TypeError('bug'))).toMatchObject({ code: 'internal', message: 'bug' });
    expect(SemoError.from('text')).toMatchObject({ code: 'internal', message: 'text', cause: 'text' });
  });

  it('is recognised, also when another copy of the library made it', () => {
    const error = new SemoError('closed', 'x');
    const foreign = Object.assign(new Error('x'), { code: 'closed', [Symbol.for('semo-office.error')]: true });
    expect([
      isSemoError(error),
      isSemoError(foreign),
      isSemoError(error, 'closed'),
      isSemoError(foreign, 'closed'),
    ]).toEqual([true, true, true, true]);
    expect([
      isSemoError(error, 'aborted'),
      isSemoError(new Error('x')),
      isSemoError(null),
      isSemoError('closed'),
    ]).toEqual([false, false, false, false]);
  });

  it('fails loudly on a case that cannot be', () => {
    expect(() => assertNever({ kind: 'odd' } as never)).toThrow('{"kind":"odd"}');
  });
});
