import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StreamJsonParser, type StreamJsonEvent } from '../../../../src/agent/claude/stream/stream-json.ts';

/** All that a parser makes of bytes that come in pieces cut at these places. */
function parse(bytes: Uint8Array, cuts: readonly number[] = [], maxLineBytes?: number): StreamJsonEvent[] {
  const parser = new StreamJsonParser({ maxLineBytes });
  const places = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, index) => new Uint8Array(bytes.subarray(places[index], end)));
  const events = pieces.flatMap((piece) => {
    const found = parser.push(piece);
    // The caller may use its bytes again at once.
    piece.fill(0x21);
    return found;
  });
  return [...events, ...parser.end()];
}

const messagesOf = (events: readonly StreamJsonEvent[]): unknown[] =>
  events.flatMap((event) => (event.kind === 'message' ? [event.message] : []));

const text = fc.string({ unit: 'binary', maxLength: 40 });
const message = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), {
  noNullPrototype: true,
});
const cuts = fc.array(fc.nat(), { maxLength: 20 });
const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)));

describe('a stream of JSON lines', () => {
  it('gives every message, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), cuts, (messages, where) => {
        const sent = messages.map((each) => JSON.stringify(each));
        const events = parse(Buffer.from(sent.map((line) => `${line}\n`).join('')), where);
        expect(messagesOf(events)).toEqual(sent.map((line) => JSON.parse(line) as unknown));
        expect(events).toHaveLength(messages.length);
      }),
      { numRuns: 500 },
    );
  });

  it('loses no message to the noise around it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, message), { maxLength: 6 }), cuts, (lines, where) => {
        const bytes = lines.flatMap(([garbage, each]) => [garbage, Buffer.from(`\n${JSON.stringify(each)}\n`)]);
        const found = messagesOf(parse(Buffer.concat(bytes), where)).map((each) => JSON.stringify(each));
        const wanted = lines.map(([, each]) => JSON.stringify(JSON.parse(JSON.stringify(each))));
        for (const each of wanted) expect(found).toContain(each);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), cuts, fc.integer({ min: 1, max: 64 }), (bytes, where, bound) => {
        const events = parse(bytes, where, bound);
        const lines = Buffer.from(bytes).toString('latin1').split('\n');
        expect(events.length).toBeLessThanOrEqual(lines.length);
        expect(events.filter(({ kind }) => kind === 'too_long')).toHaveLength(
          lines.filter((line) => line.length > bound).length,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('gives a message whose last character is cut in its bytes', () => {
    const whole = Buffer.from('{"text":"한국어 🙂"}\n');
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(messagesOf(parse(whole, [cut]))).toEqual([{ text: '한국어 🙂' }]);
    }
  });

  it('goes on after a character that was never finished', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xf0, 0x9f]), Buffer.from('\n{"b":1}\n')]);
    const [first, second] = parse(bytes);
    expect(first).toMatchObject({ kind: 'garbage' });
    expect(second).toEqual({ kind: 'message', message: { b: 1 } });
  });

  it('lets a line beyond its bound pass, and keeps one that just fits', () => {
    const fitting = '{"text":"12345"}';
    const bytes = Buffer.from(`{"text":"123456"}\n${fitting}\n`);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(parse(bytes, [cut], fitting.length)).toEqual([
        { kind: 'too_long', bytes: fitting.length + 1 },
        { kind: 'message', message: { text: '12345' } },
      ]);
    }
  });

  it('takes JSON that is no object for garbage, shows its beginning, and skips empty lines', () => {
    const events = parse(Buffer.from(`42\n[{}]\nnull\n\n  \r\n{"a":1}\r\n${'x'.repeat(199)}${'🎉'.repeat(99)}\nends`));
    expect(events).toEqual([
      ...['42', '[{}]', 'null'].map((line) => ({ kind: 'garbage', text: line })),
      { kind: 'message', message: { a: 1 } },
      { kind: 'garbage', text: 'x'.repeat(199) },
      { kind: 'garbage', text: 'ends' },
    ]);
  });
});
