import { stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';

import type { Chunk, Observation } from './observation.ts';

/** What a monitor that looks for words takes for the end of a turn. */
const COMPLETION = [
  /\[SEMO:DONE\]/,
  /Created pull request #(\d+)/i,
  /\[main [a-f0-9]{7}\] .+/,
  /All tests passed/i,
  /Build completed successfully/i,
];
const ROWS = 40;
const LONGEST_MATCH = 4096;

/** When a simple way of watching says that a turn has completed, epoch milliseconds; `null` if it never does. */
type NaiveMonitor = (observation: Observation) => number | null | Promise<number | null>;

/** Simple ways of watching, each as it is usually written. They watch terminals; the last two need the agent's hooks. */
const naiveMonitors: Readonly<Record<string, NaiveMonitor>> = {
  'words in the raw bytes': (observation) => firstMatch(observation, (text) => text),
  'words in the text without escape sequences': (observation) => firstMatch(observation, stripVTControlCharacters),
  'words on the rendered screen': onScreen,
  'the first Stop hook': ({ hooks }) => hooks.find(({ event }) => event === 'Stop')?.at ?? null,
  'the first Stop hook without background tasks': ({ hooks }) =>
    hooks.find(({ event, input }) => event === 'Stop' && isWithoutTasks(input))?.at ?? null,
};

function isWithoutTasks(input: unknown): boolean {
  const tasks = (input as { background_tasks?: unknown }).background_tasks;
  return !Array.isArray(tasks) || tasks.length === 0;
}

/** What was printed since the prompt was sent: what was there before is not the turn's. */
function isOfTurn({ turn }: Observation, { offset }: Chunk): boolean {
  return turn !== null && offset >= turn.outputStart;
}

function firstMatch(observation: Observation, clean: (text: string) => string): number | null {
  const decoder = new TextDecoder();
  let text = '';
  for (const chunk of observation.chunks.filter((each) => isOfTurn(observation, each))) {
    // A match may span two pieces; further back nothing new can match.
    text = text.slice(-LONGEST_MATCH) + decoder.decode(chunk.bytes, { stream: true });
    if (COMPLETION.some((pattern) => pattern.test(clean(text)))) return chunk.at;
  }
  return null;
}

async function onScreen(observation: Observation): Promise<number | null> {
  const terminal = new xterm.Terminal({
    cols: observation.trial.setting.cols ?? 80,
    rows: ROWS,
    allowProposedApi: true,
  });
  try {
    for (const chunk of observation.chunks) {
      await new Promise<void>((resolve) => {
        terminal.write(chunk.bytes, resolve);
      });
      if (isOfTurn(observation, chunk) && COMPLETION.some((pattern) => pattern.test(screenText(terminal))))
        return chunk.at;
    }
    return null;
  } finally {
    terminal.dispose();
  }
}

function screenText({ buffer: { active }, rows }: InstanceType<typeof xterm.Terminal>): string {
  return Array.from(
    { length: rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  ).join('\n');
}

/** What the word of a simple monitor was worth. */
export type Worth = 'right' | 'false' | 'missed';

/** The model's last byte and the agent's first paint of it may fall into one millisecond. */
const CLOCK_GRAIN_MS = 2;

/**
 * What each simple monitor would have been worth on a turn in a terminal. Of turns over pipes they know nothing, and none
 * of them can require a marker.
 */
export async function naiveWorths(observation: Observation): Promise<Record<string, Worth>> {
  const { kind, setting } = observation.trial;
  if (setting.cols === null || kind.options.require !== undefined) return {};
  const worths: Record<string, Worth> = {};
  for (const [name, monitor] of Object.entries(naiveMonitors))
    worths[name] = worth(observation, await monitor(observation));
  return worths;
}

/** It can only say `completed`, so its silence is right where a turn did not complete. */
function worth({ trial: { kind }, answers, heardAt }: Observation, saidAt: number | null): Worth {
  const { truth, options } = kind;
  if (saidAt === null) return truth.outcome === 'completed' ? 'missed' : 'right';
  if (truth.outcome !== 'completed') return 'false';
  // Where a milestone was to complete the turn, its word is as good as ours.
  const overAt = options.completeOn === undefined ? answers[truth.answers - 1]?.lastByteAt : (heardAt ?? undefined);
  return overAt === undefined || saidAt < overAt - CLOCK_GRAIN_MS ? 'false' : 'right';
}
