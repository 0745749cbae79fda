import { describe, expect, it } from 'vitest';

import { decodeFrame, encodeFrame, officeFrameSchema } from '../../src/socket/frame.ts';
import { LineReader } from '../../src/socket/line-reader.ts';

describe('LineReader', () => {
  it('puts lines together, however they are cut', () => {
    const bytes = Buffer.from('one\ntwö\n\nthree\nrest');
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new LineReader();
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += size) lines.push(...reader.push(bytes.subarray(at, at + size)));
      expect(lines).toEqual(['one', 'twö', '', 'three']);
    }
  });

  it('bounds what it keeps', () => {
    const reader = new LineReader(4);
    expect(reader.push(Buffer.from('1234\n12'))).toEqual(['1234']);
    expect(() => reader.push(Buffer.from('345'))).toThrow('more than 4 bytes');
  });

  it('refuses what is not UTF-8', () => {
    expect(() => new LineReader().push(Buffer.from([0xff, 0x0a]))).toThrow('not UTF-8');
  });
});

describe('frames', () => {
  it('are lines of JSON', () => {
    const line = encodeFrame({ kind: 'command', seq: 1, command: { text: 'a\nb' } }).toString();
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(decodeFrame(officeFrameSchema, line)).toEqual({ kind: 'command', seq: 1, command: { text: 'a\nb' } });
  });

  it.each(['', 'GET / HTTP/1.1', '{}', '{"kind":"dance"}', '{"kind":"command","seq":-1}'])('refuses %j', (line) => {
    expect(() => decodeFrame(officeFrameSchema, line)).toThrow(expect.objectContaining({ code: 'invalid_message' }));
  });
});
