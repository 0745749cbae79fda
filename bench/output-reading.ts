import { benchSessions } from './bench-sessions.ts';
import { figures } from './figures.ts';
import { createFlood } from './flood.ts';
import type { Measurement, Scale } from './measurement.ts';

const SHAPES = ['raw', 'text'] as const;
const SIZES: Record<Scale, { readonly bytes: number; readonly rounds: number }> = {
  full: { bytes: 8_000_000, rounds: 5 },
  tiny: { bytes: 100_000, rounds: 1 },
};
const SLICE_BYTES = 256 * 1024;

/** How fast a session's output is read back, in slices, as bytes and as text. node-pty keeps nothing to compare with. */
export const outputReading: Measurement = {
  title: 'Reading output back by offset',
  async run(scale) {
    const { bytes, rounds } = SIZES[scale];
    await using flood = await createFlood(bytes);
    await using host = await benchSessions();
    const { sessions } = host;
    const gone = Promise.withResolvers<void>();
    sessions.on('exit', () => gone.resolve());
    const sessionId = await host.open(flood.command, { maxOutputBytes: 16 * 1024 * 1024 });
    await sessions.sendText(sessionId, '\r');
    await gone.promise;
    const rows = [];
    for (const as of SHAPES) {
      const rates: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const startedAt = performance.now();
        let from = 0;
        for (let end = 1; from < end;) {
          const slice = await sessions.getOutput(sessionId, { as, from, maxBytes: SLICE_BYTES });
          ({ next: from, end } = slice);
        }
        rates.push(from / 1e3 / (performance.now() - startedAt));
      }
      rows.push({ what: `as ${as}`, unit: 'MB/s', figures: figures(rates) });
    }
    return { rows, targets: [] };
  },
};
