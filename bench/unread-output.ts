import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { inOwnProcess } from './own-process.ts';
import { task, type Growth, type Reader, type UnreadFlood } from './unread-flood.ts';

const READERS: Record<Reader, string> = {
  raw: 'raw node-pty, bytes dropped',
  nobody: 'session, nobody listens',
  listener: 'session, a listener that never asks',
};
const SIZES: Record<Scale, { readonly bytes: number; readonly rounds: number }> = {
  full: { bytes: 500_000_000, rounds: 3 },
  tiny: { bytes: 500_000, rounds: 1 },
};
/** A session's log by default, in MB, and what a collected heap still varies by. */
const LOG_MB = (1024 * 1024) / 1e6;
const NOISE_MB = 1;

/** Output that nobody reads must cost the log's bound and nothing beyond. */
export const unreadOutput: Measurement = {
  title: 'Output that nobody reads: how much this process grows',
  async run(scale) {
    const { bytes, rounds } = SIZES[scale];
    const found: Record<Reader, Growth[]> = { raw: [], nobody: [], listener: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const reader of Object.keys(found) as Reader[]) found[reader].push(await grow({ reader, bytes }, scale));
    }
    const row = (reader: Reader, of: keyof Growth) => ({
      what: `${READERS[reader]}, ${of === 'settled' ? 'afterwards' : 'resident at its peak'}`,
      unit: 'MB',
      figures: figures(found[reader].map((each) => each[of] / 1e6)),
    });
    const readers = Object.keys(found) as Reader[];
    const targets = readers
      .filter((reader) => reader !== 'raw')
      .map((reader) => ({
        what: `${READERS[reader]}, beyond its log of ${LOG_MB.toFixed(2)} MB`,
        unit: 'MB',
        value: row(reader, 'settled').figures.median - LOG_MB,
        promised: { atMost: NOISE_MB },
      }));
    return { rows: readers.flatMap((reader) => [row(reader, 'settled'), row(reader, 'peakResident')]), targets };
  },
};

function grow(input: UnreadFlood, scale: Scale): Promise<Growth> {
  return scale === 'tiny' ? task(input) : inOwnProcess('unread-flood.ts', input);
}
