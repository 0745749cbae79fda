import { describe, expect, it } from 'vitest';

import { MarkerScanner } from '../../../src/agent/command/marker-scanner.ts';

const scanner = () => new MarkerScanner('DONE-1234', 'NAME=');

/** What is found when a text comes in these pieces. */
function find(pieces: readonly string[], scan = scanner()): number[] {
  let offset = 0;
  return pieces.flatMap((piece) => {
    const bytes = Buffer.from(piece);
    const found = scan.find(bytes, offset);
    offset += bytes.length;
    return found === null ? [] : [found];
  });
}

describe('the scanner for markers', () => {
  it('finds a marker wherever it is cut', () => {
    const text = 'é words DONE-1234 more';
    const at = Buffer.from(text).indexOf('DONE');
    for (let cut = 0; cut <= text.length; cut += 1) expect(find([text.slice(0, cut), text.slice(cut)])).toEqual([at]);
    expect(find(text.split(''))).toEqual([at]);
  });

  it('finds each marker once', () => {
    expect(find(['DONE-1234 ', 'nothing', ' DONE-1234', ''])).toEqual([0, 18]);
  });

  it.each(['NAME=DONE-1234', 'NAME="DONE-1234"', "NAME='DONE-1234'"])(
    'does not find one that is listed, however it is cut: %s',
    (text) => {
      for (let cut = 0; cut <= text.length; cut += 1) expect(find([text.slice(0, cut), text.slice(cut)])).toEqual([]);
    },
  );

  it('finds one that is spoken after one that is listed', () => {
    expect(find(['NAME=DONE-1234\n"DONE-1234"'])).toEqual([16]);
  });

  it('does not join what came before a reset with what comes after', () => {
    const scan = scanner();
    expect(scan.find(Buffer.from('DONE-'), 0)).toBeNull();
    scan.reset();
    expect(scan.find(Buffer.from('1234'), 5)).toBeNull();
  });
});
