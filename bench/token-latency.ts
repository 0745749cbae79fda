import { join } from 'node:path';
import { newId, type SessionManager } from '@semo-office/core';
import { createClaudeStreamDriver, type ClaudeStreamEvent } from '@semo-office/pty-host';

import { benchSessions } from './bench-sessions.ts';
import { figures, percentile } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { programEnvironment } from './raw-terminal.ts';
import { sharedClockMs } from './shared-clock.ts';

const STREAMS = 20;
/** Tokens a second of each stream, as models speak. */
const SPOKEN_RATE = 50;
/** Tried one after the other until one is too much. */
const HIGHER_RATES = [100, 200, 400, 800, 1600, 3200];
const PROMISED_P99_MS = 10;
/** A program that takes so much longer than its rate says has fallen behind by itself. */
const ON_TIME = 1.1;
const ROUNDS: Record<Scale, { readonly rounds: number; readonly seconds: number; readonly rates: readonly number[] }> =
  {
    full: { rounds: 7, seconds: 4, rates: HIGHER_RATES },
    tiny: { rounds: 1, seconds: 0.1, rates: HIGHER_RATES.slice(0, 1) },
  };

/** How soon a token that an agent prints is heard, with many agents speaking at once. */
export const tokenLatency: Measurement = {
  title: `${STREAMS} claude-stream sessions speak at once: from a token printed to our listener`,
  async run(scale) {
    const { rounds, seconds, rates } = ROUNDS[scale];
    await using stage = await speakers();
    // Code is compiled and pipes have been used before it counts.
    await stage.speak(SPOKEN_RATE, seconds / 2);
    const heard: Heard[] = [];
    for (let round = 0; round < rounds; round += 1) heard.push(await stage.speak(SPOKEN_RATE, seconds));
    let highest = 0;
    for (const rate of rates) {
      const { latencies, isOnTime } = await stage.speak(rate, seconds);
      if (!isOnTime || percentile(latencies, 0.99) > PROMISED_P99_MS) break;
      highest = rate;
    }
    const at = (share: number) => heard.map(({ latencies }) => percentile(latencies, share));
    const speed = `${SPOKEN_RATE} tokens/s each`;
    const p99 = figures(at(0.99));
    return {
      rows: [
        { what: `${speed}: p50`, unit: 'ms', figures: figures(at(0.5)) },
        { what: `${speed}: p99`, unit: 'ms', figures: p99 },
        { what: `${speed}: the slowest`, unit: 'ms', figures: figures(at(1)) },
        {
          what: `highest rate tried with p99 within ${PROMISED_P99_MS} ms`,
          unit: 'tokens/s',
          figures: figures([highest]),
        },
      ],
      targets: [{ what: `${speed}: p99`, unit: 'ms', value: p99.median, promised: { atMost: PROMISED_P99_MS } }],
    };
  },
};

interface Heard {
  /** One for each token of each stream, in milliseconds. */
  readonly latencies: readonly number[];
  /** Whether the programs could print as fast as they were to. */
  readonly isOnTime: boolean;
}

interface Speakers extends AsyncDisposable {
  speak(rate: number, seconds: number): Promise<Heard>;
}

async function speakers(): Promise<Speakers> {
  let latencies: number[] = [];
  const onEvent = ({ event }: ClaudeStreamEvent) => {
    const printedAt = event.kind === 'message' ? event.message['printedAt'] : undefined;
    if (typeof printedAt === 'number') latencies.push(sharedClockMs() - printedAt);
  };
  const binary = join(import.meta.dirname, 'token-emitter.ts');
  const hostEnv = { ...programEnvironment, ANTHROPIC_API_KEY: 'sk-ant-none' };
  const host = await benchSessions(hostEnv, [createClaudeStreamDriver({ binary, onEvent })]);
  const open = () => host.open([], { agent: { kind: 'claude-stream' } });
  const sessionIds = await Promise.all(Array.from({ length: STREAMS }, open));
  return {
    async speak(rate, seconds) {
      latencies = [];
      const count = Math.ceil(rate * seconds);
      const turns = sessionIds.map((sessionId) => emit(host.sessions, sessionId, `emit ${rate} ${count}`));
      const times = await Promise.all(turns);
      if (latencies.length !== STREAMS * count)
        throw new Error(`${latencies.length} of ${STREAMS * count} tokens came.`);
      return { latencies, isOnTime: Math.max(...times) <= ON_TIME * seconds * 1000 };
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** How long the program took to print, as it says. */
async function emit(sessions: SessionManager, sessionId: string, prompt: string): Promise<number> {
  const { turnId } = await sessions.sendPrompt(sessionId, prompt, { turnId: newId('turn') });
  const { text } = await sessions.waitForTurn(sessionId, turnId);
  return Number(text);
}
