import { benchSessions } from './bench-sessions.ts';
import { figures, percentile } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { openRawTerminal } from './raw-terminal.ts';

/** Gives back every byte as it is typed; says so when the terminal is set. */
const ECHO = ['/bin/sh', '-c', 'stty raw -echo; printf R; exec cat'] as const;
const SIZES: Record<Scale, { readonly keys: number; readonly rounds: number }> = {
  full: { keys: 2000, rounds: 7 },
  tiny: { keys: 20, rounds: 1 },
};

/** Types one key and resolves when its echo is heard. */
type PressKey = (key: string) => Promise<void>;

/** How long a key press takes to the program and back, as whoever sits at our side of the terminal sees it. */
export const echoLatency: Measurement = {
  title: 'Echo: a key typed to the moment its echo is heard',
  async run(scale) {
    const { keys, rounds } = SIZES[scale];
    const raw: number[][] = [];
    const ours: number[][] = [];
    for (let round = 0; round < rounds; round += 1) {
      raw.push(await withRawEcho((press) => timeKeys(press, keys)));
      ours.push(await withSessionEcho((press) => timeKeys(press, keys)));
    }
    const row = (what: string, samples: readonly number[][], share: number) => ({
      what,
      unit: 'ms',
      figures: figures(samples.map((each) => percentile(each, share))),
    });
    const rawSlow = row('raw node-pty, p99', raw, 0.99);
    const oursSlow = row('session, p99', ours, 0.99);
    const value = oursSlow.figures.median - rawSlow.figures.median;
    return {
      rows: [row('raw node-pty, p50', raw, 0.5), row('session, p50', ours, 0.5), rawSlow, oursSlow],
      targets: [{ what: 'session beyond raw at p99', unit: 'ms', value, promised: { atMost: 2 } }],
    };
  },
};

async function timeKeys(press: PressKey, keys: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < keys; index += 1) {
    const startedAt = performance.now();
    await press(String.fromCodePoint(97 + (index % 26)));
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Resolves waits in order as bytes are heard, one byte a wait. */
class Ear {
  #heard = Promise.withResolvers<void>();

  readonly onBytes = (): void => {
    this.#heard.resolve();
  };

  next(): Promise<void> {
    this.#heard = Promise.withResolvers<void>();
    return this.#heard.promise;
  }
}

async function withRawEcho(use: (press: PressKey) => Promise<number[]>): Promise<number[]> {
  const ear = new Ear();
  const ready = ear.next();
  await using terminal = openRawTerminal({ command: ECHO, onData: ear.onBytes });
  await ready;
  return await use(async (key) => {
    const heard = ear.next();
    terminal.write(key);
    await heard;
  });
}

async function withSessionEcho(use: (press: PressKey) => Promise<number[]>): Promise<number[]> {
  const ear = new Ear();
  const ready = ear.next();
  await using host = await benchSessions();
  host.sessions.on('output', ear.onBytes);
  const sessionId = await host.open(ECHO);
  await ready;
  return await use(async (key) => {
    const heard = ear.next();
    await Promise.all([host.sessions.sendText(sessionId, key), heard]);
  });
}
