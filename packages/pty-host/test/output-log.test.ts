import { isSemoError } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { OutputLog } from '../src/output-log.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

describe('OutputLog', () => {
  it('gives back what was appended, by offset', () => {
    const log = new OutputLog({ maxBytes: 100 });
    log.append(encode('hello '));
    log.append(encode('world'));
    expect(log.read()).toMatchObject({ from: 0, next: 11, start: 0, end: 11 });
    expect(decode(log.read().bytes)).toBe('hello world');
    expect(decode(log.read({ from: 6 }).bytes)).toBe('world');
    expect(decode(log.read({ from: 3, maxBytes: 5 }).bytes)).toBe('lo wo');
    expect(log.read({ from: 11 }).bytes).toHaveLength(0);
  });

  it('copies, so that a reused slab changes nothing', () => {
    const log = new OutputLog();
    const slab = encode('first');
    log.append(slab);
    slab.fill(0x78);
    expect(decode(log.read().bytes)).toBe('first');
    log.read().bytes.fill(0x79);
    expect(decode(log.read().bytes)).toBe('first');
  });

  it('agrees with a plain string over many sizes of log and chunk', () => {
    for (const maxBytes of [1, 7, 4096, 16_384, 16_385, 50_000]) {
      const log = new OutputLog({ maxBytes });
      let all = '';
      for (let turn = 0; turn < 120; turn += 1) {
        const chunk = String.fromCodePoint(97 + (turn % 26)).repeat((turn * 977) % 3001);
        log.append(encode(chunk));
        all += chunk;
        const start = Math.max(0, all.length - maxBytes);
        expect(log.start).toBe(start);
        expect(log.end).toBe(all.length);
        expect(decode(log.read().bytes) === all.slice(start)).toBe(true);
      }
      log.append(encode('z'.repeat(200_000)));
      expect(decode(log.read().bytes)).toBe('z'.repeat(maxBytes));
    }
  });

  it('says what was dropped and what has not come yet', () => {
    const log = new OutputLog({ maxBytes: 10 });
    log.append(encode('0123456789abcde'));
    const dropped = thrownBy(() => log.read({ from: 2 }));
    expect(isSemoError(dropped, 'output_dropped') && dropped.details).toEqual({
      requested: 2,
      start: 5,
      end: 15,
      dropped: 3,
    });
    expect((dropped as Error).message).toContain('3 bytes');
    const beyond = thrownBy(() => log.read({ from: 16 }));
    expect(isSemoError(beyond, 'output_beyond_end') && beyond.details).toEqual({ requested: 16, start: 5, end: 15 });
  });

  it('never cuts a character, whatever the size of the slice', () => {
    const text = 'aé한🎉'.repeat(50);
    const log = new OutputLog({ maxBytes: 1000 });
    log.append(encode(text));
    for (let maxBytes = 4; maxBytes < 40; maxBytes += 1) {
      let read = '';
      for (let from = 0; from < log.end;) {
        const slice = log.read({ from, maxBytes });
        expect(slice.bytes.length).toBeLessThanOrEqual(maxBytes);
        read += decode(slice.bytes);
        from = slice.next;
      }
      expect(read).toBe(text);
    }
  });

  it('begins at a character when the beginning of one was dropped, and inside it when asked to', () => {
    const log = new OutputLog({ maxBytes: 5 });
    log.append(encode('한국'));
    expect(log.read()).toMatchObject({ from: 3, start: 1, end: 6 });
    expect(decode(log.read().bytes)).toBe('국');
    expect(log.read({ from: 1 })).toMatchObject({ from: 1, next: 6 });
    expect(log.read({ from: 2, maxBytes: 2 })).toMatchObject({ from: 2, next: 3 });
  });

  it('holds an incomplete character back until the rest comes', () => {
    const log = new OutputLog();
    const [lead = 0, ...rest] = encode('🎉');
    log.append(encode('ok'));
    log.append(Uint8Array.of(lead));
    expect(log.read()).toMatchObject({ next: 2, end: 3 });
    expect(log.read({ from: 2 })).toMatchObject({ from: 2, next: 2, end: 3 });
    log.append(Uint8Array.from(rest));
    expect(decode(log.read({ from: 2 }).bytes)).toBe('🎉');
  });

  it('hands an incomplete character out once nothing more will come', () => {
    const log = new OutputLog();
    log.append(Uint8Array.of(0x6f, 0xe9));
    expect(log.read().next).toBe(1);
    log.close();
    expect(log.read().next).toBe(2);
  });

  it('cuts bytes that are no UTF-8 anywhere, and a character that is larger than the slice', () => {
    const log = new OutputLog({ maxBytes: 64 });
    log.append(new Uint8Array(20).fill(0x80));
    expect(log.read({ maxBytes: 6 }).next).toBe(6);
    log.append(Uint8Array.of(0xe9, 0x20, 0x20));
    expect(log.read({ from: 20, maxBytes: 1 }).next).toBe(21);
    log.append(encode('🎉'));
    expect(log.read({ from: 23, maxBytes: 2 }).next).toBe(25);
    log.append(new Uint8Array(64).fill(0x80));
    expect(log.read().from).toBe(log.start);
  });

  it('costs little while idle and is fast while busy', () => {
    const before = process.memoryUsage().arrayBuffers;
    const logs = Array.from({ length: 200 }, () => {
      const log = new OutputLog();
      log.append(encode('$ '));
      return log;
    });
    expect((process.memoryUsage().arrayBuffers - before) / logs.length).toBeLessThan(20 * 1024);

    const log = new OutputLog();
    const chunk = new Uint8Array(65_536).fill(0x61);
    const began = performance.now();
    for (let count = 0; count < 4096; count += 1) log.append(chunk);
    const megabytesPerSecond = 268 / ((performance.now() - began) / 1000);
    // The real figure is in bench/; this floor is one that a loaded machine reaches too.
    expect(megabytesPerSecond).toBeGreaterThan(200);
  });
});
