import { benchSessions } from './bench-sessions.ts';
import { figures } from './figures.ts';
import { createFlood, type Flood } from './flood.ts';
import type { Measurement, Report, Scale } from './measurement.ts';
import { openRawTerminal } from './raw-terminal.ts';

const SCREENED = 'session with a screen, a listener';
/** Ways of having a session's output flow. */
const OURS = {
  'session, nobody listens': { heard: false, turn: false, screen: false },
  'session, a listener': { heard: true, turn: false, screen: false },
  'session, a turn and a listener': { heard: true, turn: true, screen: false },
  [SCREENED]: { heard: true, turn: false, screen: true },
} as const;

type Way = (typeof OURS)[keyof typeof OURS];

const SIZES: Record<Scale, { readonly bytes: number; readonly rounds: number }> = {
  full: { bytes: 200_000_000, rounds: 9 },
  tiny: { bytes: 400_000, rounds: 1 },
};
const RAW = 'raw node-pty';

/** One run. */
interface Run {
  /** From the line that sets the program off to its last byte heard; where nobody listens, to its end. */
  readonly megabytesPerSecond: number;
  /** What this process worked for it; the program's own work is not counted. */
  readonly cpuMsPer100Megabytes: number;
}

/** How fast a terminal's output gets through. */
export const throughput: Measurement = {
  title: 'Output throughput: one program prints, in a session and in raw node-pty',
  async run(scale) {
    const { bytes, rounds } = SIZES[scale];
    await using flood = await createFlood(bytes);
    const ways: readonly (readonly [string, () => Promise<Run>])[] = [
      [RAW, () => rawRun(flood)],
      ...Object.entries(OURS).map(([name, way]) => [name, () => sessionRun(flood, way)] as const),
    ];
    const found = new Map<string, Run[]>(ways.map(([name]) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      // Every other round backwards: nobody always comes first.
      for (const [name, run] of round % 2 === 0 ? ways : ways.toReversed()) found.get(name)?.push(await run());
    }
    return report(found);
  },
};

function report(found: ReadonlyMap<string, readonly Run[]>): Report {
  const names = [...found.keys()];
  const row = (name: string, { of, unit }: { of: (run: Run, round: number) => number; unit: string }) => ({
    what: name,
    unit,
    figures: figures((found.get(name) ?? []).map(of)),
  });
  const rates = names.map((name) => row(name, { of: (run) => run.megabytesPerSecond, unit: 'MB/s' }));
  const work = names.map((name) => row(name, { of: (run) => run.cpuMsPer100Megabytes, unit: 'ms of CPU for 100 MB' }));
  // Against the raw run of the same round: the machine's mood is the same.
  const rawOf = (round: number): number => found.get(RAW)?.[round]?.megabytesPerSecond ?? Number.NaN;
  const shares = names
    .filter((name) => name !== RAW)
    .map((name) => row(name, { of: (run, round) => run.megabytesPerSecond / rawOf(round), unit: 'of raw' }));
  const screened = rates.find(({ what }) => what === SCREENED)?.figures.median ?? Number.NaN;
  return {
    rows: [...rates, ...shares, ...work],
    targets: [
      ...shares
        .filter(({ what }) => what !== SCREENED)
        .map(({ what, unit, figures: { median } }) => ({ what, unit, value: median, promised: { atLeast: 0.8 } })),
      { what: SCREENED, unit: 'MB/s', value: screened, promised: { atLeast: 20 } },
    ],
  };
}

async function rawRun(flood: Flood): Promise<Run> {
  let bytes = 0;
  let lastAt = 0;
  const onData = (data: Uint8Array): void => {
    bytes += data.byteLength;
    lastAt = performance.now();
  };
  await using terminal = openRawTerminal({ command: flood.command, onData });
  const finish = startRun(flood);
  terminal.write('\r');
  await terminal.exited;
  return finish(bytes, lastAt);
}

async function sessionRun(flood: Flood, { heard, turn, screen }: Way): Promise<Run> {
  await using host = await benchSessions();
  const { sessions } = host;
  let heardBytes = 0;
  let lastAt = 0;
  if (heard) {
    sessions.on('output', ({ bytes }) => {
      heardBytes += bytes.byteLength;
      lastAt = performance.now();
    });
  }
  const gone = Promise.withResolvers<void>();
  sessions.on('status', ({ status }) => {
    // Told as the program ends, after its last byte and before its folders are cleared away.
    if (status === 'error') gone.resolve();
  });
  const sessionId = await host.open(flood.command, { screen });
  const finish = startRun(flood);
  if (turn) await sessions.sendPrompt(sessionId, 'go');
  else await sessions.sendText(sessionId, '\r');
  await gone.promise;
  // The screen is up to date only when it has been asked for.
  if (screen) await sessions.getOutput(sessionId, { as: 'screen' });
  const renderedAt = performance.now();
  const { next } = await sessions.getOutput(sessionId, { as: 'raw', maxBytes: 8 * 1024 * 1024 });
  // A screen is behind what is heard.
  return finish(heard ? heardBytes : next, heard && !screen ? lastAt : renderedAt);
}

/** Starts the clocks; gives what stops them. A run that lost or made up bytes counts for nothing. */
function startRun(flood: Flood): (bytes: number, endedAt: number) => Run {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  return (bytes, endedAt) => {
    const seconds = (endedAt - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const echoed = bytes - flood.bytes;
    if (echoed < 0 || echoed > 8) throw new Error(`${flood.bytes} bytes were printed and ${bytes} arrived.`);
    const megabytes = bytes / 1e6;
    return {
      megabytesPerSecond: megabytes / seconds,
      cpuMsPer100Megabytes: (user + system) / 1000 / (megabytes / 100),
    };
  };
}
