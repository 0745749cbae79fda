import { SemoError } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { isBusy, storeError } from '../src/file/unusable.ts';
import { StoreLink } from '../src/store-link.ts';
import type { StoreCall } from '../src/store-message.ts';

/** A thread that answers nothing by itself. */
function silentThread() {
  const sent: StoreCall[] = [];
  const holds: boolean[] = [];
  let stopped = 0;
  const link = new StoreLink(
    {
      send: (call) => void sent.push(call),
      holdProcess: (hold) => void holds.push(hold),
      stop: async () => void (stopped += 1),
    },
    () => undefined,
  );
  return { link, sent, holds, stopped: () => stopped };
}

describe('a link to a thread', () => {
  it('refuses what waits, and all that comes later, once the thread is lost', async () => {
    const { link, holds, stopped } = silentThread();
    const waiting = [link.call('getJob', { jobId: 'job_1' }), link.call('listJobs', {})];
    link.lost(new SemoError('store_unusable', 'It was lost.', { retryable: true }));
    for (const call of waiting) await expect(call).rejects.toMatchObject({ code: 'store_unusable' });
    await expect(link.call('listJobs', {})).rejects.toMatchObject({ code: 'store_unusable', retryable: true });
    expect(holds.at(-1)).toBe(false);
    await link.close();
    expect(stopped()).toBe(1);
  });

  it('gives each call its own answer, in whatever order they come', async () => {
    const { link, sent, holds } = silentThread();
    const calls = ['a', 'b'].map((jobId) => link.call('getJob', { jobId }));
    const [first, second] = sent.map(({ id }) => id);
    const error = { code: 'job_unknown', class: 'not_found', message: 'No.', retryable: false };
    link.receive({ kind: 'refused', id: second, error });
    link.receive({ kind: 'done', id: 4711, result: 'for nobody' });
    expect(holds.at(-1)).toBe(true);
    link.receive({ kind: 'done', id: first, result: null });
    expect(await calls[0]).toBeNull();
    await expect(calls[1]).rejects.toMatchObject({ code: 'job_unknown' });
    expect(holds.at(-1)).toBe(false);
  });
});

describe('what SQLite throws', () => {
  const thrown = (errcode: number): Error =>
    Object.assign(new Error('the words of SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });

  it.each([
    // The higher bits tell more of the same: 261 is SQLITE_BUSY_RECOVERY.
    [261, 'is held by another process', true],
    [13, 'the disk is full', true],
    [8, 'cannot be opened: the words of SQLite', false],
    [267, 'is damaged', false],
    [10, 'cannot be used: the words of SQLite', false],
  ])('(%i) is an error of ours that says what to do', (errcode, words, retryable) => {
    const error = storeError('/state/office.sqlite', thrown(errcode));
    expect(error).toMatchObject({ code: 'store_unusable', retryable, details: { path: '/state/office.sqlite' } });
    expect(error.message).toContain(`The store /state/office.sqlite`);
    expect(error.message).toContain(words);
    expect(isBusy(thrown(errcode))).toBe(errcode === 261);
  });

  it('is told from what others throw', () => {
    const ours = new SemoError('job_unknown', 'No.');
    expect(storeError('/x', ours)).toBe(ours);
    expect(storeError('/x', new TypeError('odd'))).toMatchObject({ code: 'internal', message: 'odd' });
    expect(storeError('/x', Object.assign(new Error('odd'), { code: 'ERR_ODD' }))).toMatchObject({ code: 'internal' });
  });
});
