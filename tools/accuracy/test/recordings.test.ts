import { describe, expect, it } from 'vitest';

import { differences } from '../src/judgement.ts';
import { kinds } from '../src/kinds.ts';
import { readRecordings, replay } from '../src/replay.ts';

const recordings = await readRecordings();

/** What the real CLI printed and told, byte for byte, judged without it. */
describe('recorded turns', () => {
  it('are there, of terminals and of pipes', () => {
    const faces = new Set(recordings.map(([, { face }]) => face));
    expect([...faces].toSorted()).toEqual(['alternate', 'classic', 'stream']);
    expect(recordings.length).toBeGreaterThan(60);
  });

  it.concurrent.each(recordings)('%s', { timeout: 60_000 }, async (_, recording) => {
    const kind = kinds.find(({ family, name }) => `${family}: ${name}` === recording.kind);
    if (kind === undefined) throw new Error(`No kind is called ${recording.kind}: record its turn again.`);
    expect(differences(await replay(recording, kind), kind.truth)).toEqual([]);
  });
});
