/**
 * Stands in for the CLI and plays a recording: prints what it printed, and calls the hooks it called, in that order.
 * `SEMO_RECORDING` names the recording; `--settings` names the file with the addresses of the hooks.
 *
 * It is started for every recording, and loading schemas takes it longer than playing: the replay has parsed the
 * recording, and where the driver's settings are not what they should be, it fails.
 */
import { readFile } from 'node:fs/promises';

import type { RecordedEvent, Recording } from './recording.ts';

const PASTE_END = '\u001b[201~';
type Hooks = Record<string, { hooks: { url: string; headers: Record<string, string> }[] }[]>;

/** What comes in, as text; waits for what has not come yet. */
class Input {
  #text = '';
  #arrived = Promise.withResolvers<void>();

  constructor() {
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (text: string) => {
      this.#text += text;
      const { resolve } = this.#arrived;
      this.#arrived = Promise.withResolvers();
      resolve();
    });
    process.stdin.on('end', () => process.exit(0));
  }

  /** Waits for a pattern; what stands before its end is gone then. */
  async match(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found !== null) {
        this.#text = this.#text.slice(found.index + found[0].length);
        return found;
      }
      await this.#arrived.promise;
    }
  }
}

async function main(): Promise<void> {
  const recording = JSON.parse(await readFile(process.env['SEMO_RECORDING'] ?? '', 'utf8')) as Recording;
  const input = new Input();
  if (recording.face === 'stream') await playMessages(recording, input);
  else await playTerminal(recording, input);
}

async function playTerminal({ start, turn }: Recording, input: Input): Promise<void> {
  process.stdin.setRawMode(true);
  const hooks = await hooksFrom(process.argv[process.argv.indexOf('--settings') + 1] ?? '');
  for (const piece of start) await print(piece);
  await input.match(new RegExp(`${escaped(PASTE_END)}[^\\r]*\\r`));
  for (const event of turn) await play(event, hooks);
  await input.match(/\/exit[^\r]*\r/);
  process.exit(0);
}

async function playMessages({ turn }: Recording, input: Input): Promise<void> {
  const [, requestId = ''] = await input.match(/"request_id":"([^"]+)"[^\n]*"initialize"[^\n]*\n/);
  const answer = { subtype: 'success', request_id: requestId, response: {} };
  process.stdout.write(`${JSON.stringify({ type: 'control_response', response: answer })}\n`);
  const [line] = await input.match(/[^\n]*"type":"user"[^\n]*\n/);
  const { uuid } = JSON.parse(line) as { uuid: string };
  const printed = Buffer.concat(
    turn.map((event) => ('out' in event ? Buffer.from(event.out, 'base64') : Buffer.alloc(0))),
  );
  const text = printed.toString('utf8');
  // The prompt had another id when it was recorded.
  const [, recorded = uuid] = /"command_uuid":"([^"]+)"/.exec(text) ?? [];
  for (const message of text.replaceAll(recorded, uuid).split(/(?<=\n)/)) {
    process.stdout.write(message);
    const [, asked] = /"type":"control_request","request_id":"([^"]+)"/.exec(message) ?? [];
    if (asked !== undefined) await input.match(new RegExp(`[^\\n]*${escaped(asked)}[^\\n]*\\n`));
  }
}

async function play(event: RecordedEvent, hooks: Hooks): Promise<void> {
  if ('out' in event) return print(event.out);
  for (const { hooks: each } of hooks[event.hook] ?? []) {
    for (const { url, headers } of each) {
      const body = JSON.stringify(event.input);
      await (
        await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })
      ).text();
    }
  }
}

function print(base64: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(Buffer.from(base64, 'base64'), () => {
      resolve();
    });
  });
}

async function hooksFrom(file: string): Promise<Hooks> {
  return (JSON.parse(await readFile(file, 'utf8')) as { hooks: Hooks }).hooks;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

await main();
