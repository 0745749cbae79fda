import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventLog } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { LeapClock } from '../../leap-clock.ts';
import { printed } from '../../prompted-program.ts';
import { commandStage } from './command-stage.ts';

/** Keeps what it reads in the file `out` and says that it is done once it has so many bytes. Takes its time if told to. */
const KEEPER = `
  const { writeFileSync } = require('node:fs');
  const [bytes, delay = '0'] = process.argv.slice(1);
  const chunks = [];
  const look = () => {
    const all = Buffer.concat(chunks);
    if (all.length < Number(bytes)) return;
    writeFileSync('out', all);
    console.log('kept ' + process.env.SEMO_DONE_MARKER);
  };
  const read = () => process.stdin.on('data', (chunk) => { chunks.push(chunk); look(); });
  setTimeout(read, Number(delay));
  console.log('ready');
`;
const RAW_KEEPER = `process.stdin.setRawMode(true); ${KEEPER}`;

// Everything a terminal in line mode would act on, and everything that is more than a byte.
const CONTROLS = Array.from({ length: 31 }, (_, code) => code + 1)
  .filter((code) => code !== 10 && code !== 13)
  .map((code) => String.fromCharCode(code))
  .join('');
const ODD = `first ${CONTROLS}\u007f end\n\ttabs\there\n한국어 🙂 é\n!bang /slash back\\slash "quotes" 'and' \`ticks\``;
const LONG = Array.from({ length: 1000 }, (_, line) => `row ${line} 한 ${'abcdefghi '.repeat(9)}end`).join('\n');

describe('a prompt to a command', () => {
  it.each([
    { name: 'odd, in a terminal', prompt: ODD, over: 'terminal', delay: 0 },
    { name: 'odd, over pipes', prompt: ODD, over: 'pipe', delay: 0 },
    { name: '100 kB to a slow reader, in a terminal', prompt: LONG, over: 'terminal', delay: 300 },
    { name: '100 kB to a slow reader, over pipes', prompt: LONG, over: 'pipe', delay: 300 },
  ] as const)('reaches it byte for byte: $name', async ({ prompt, over, delay }) => {
    await using stage = await commandStage();
    const expected = Buffer.from(`${prompt}\n`);
    const id = await stage.openNode(KEEPER, { over, args: [String(expected.length), String(delay)] });
    await printed(stage.sessions, id, 'ready');
    expect((await stage.ask(id, prompt)).state).toMatchObject({ outcome: 'completed', decidedBy: 'screen_marker' });
    expect((await readFile(join(stage.folder, 'out'))).equals(expected)).toBe(true);
  });

  it('reaches a program in raw mode as it is, with Enter after it', async () => {
    await using stage = await commandStage();
    const expected = Buffer.from(`${ODD}\r`);
    const id = await stage.openNode(RAW_KEEPER, { args: [String(expected.length)] });
    await printed(stage.sessions, id, 'ready');
    await stage.ask(id, ODD);
    expect((await readFile(join(stage.folder, 'out'))).equals(expected)).toBe(true);
  });

  const withLineOf = (bytes: number) => `short\n${'é'.repeat(2000)}${'x'.repeat(bytes - 4000)}\nshort`;

  it('may have lines of 4095 bytes in a terminal in line mode', async () => {
    await using stage = await commandStage();
    const prompt = withLineOf(4095);
    const id = await stage.openNode(KEEPER, { args: [String(Buffer.byteLength(prompt) + 1)] });
    await printed(stage.sessions, id, 'ready');
    await stage.ask(id, prompt);
    expect(await readFile(join(stage.folder, 'out'), 'utf8')).toBe(`${prompt}\n`);
  });

  it('is too long with a line of 4096 bytes there, and no turn: the session is as it was', async () => {
    await using stage = await commandStage();
    const id = await stage.openNode(KEEPER, { args: ['1'] });
    await printed(stage.sessions, id, 'ready');
    const details = { bytes: 4096, maxBytes: 4095 };
    await expect(stage.ask(id, withLineOf(4096))).rejects.toMatchObject({ code: 'prompt_too_long', details });
    expect(await stage.sessions.get(id)).toMatchObject({ status: 'ready', turnId: null });
    expect((await stage.ask(id, 'short')).state).toMatchObject({ outcome: 'completed' });
  });

  it('may have longer lines in raw mode and over pipes', async () => {
    await using stage = await commandStage();
    const prompt = 'x'.repeat(10_000);
    for (const [script, over] of [
      [RAW_KEEPER, 'terminal'],
      [KEEPER, 'pipe'],
    ] as const) {
      const id = await stage.openNode(script, { over, args: ['10001'] });
      await printed(stage.sessions, id, 'ready');
      expect((await stage.ask(id, prompt)).state).toMatchObject({ outcome: 'completed' });
    }
  });

  it('is all the input there will be, where that is asked for', async () => {
    await using stage = await commandStage();
    const id = await stage.open(['cat'], { over: 'pipe' });
    const turn = await stage.ask(id, 'all there is', { endInput: true });
    expect(turn).toMatchObject({ text: 'all there is', state: { outcome: 'completed', decidedBy: 'exit' } });
  });
});

describe('the end of a command’s turn', () => {
  const DONE = 'process.stdout.write(process.env.SEMO_DONE_MARKER)';

  it('is its marker, also when it comes in two pieces', async () => {
    await using stage = await commandStage();
    const script = `process.stdin.once('data', () => {
      const marker = process.env.SEMO_DONE_MARKER;
      process.stdout.write('an answer ' + marker.slice(0, 12));
      setTimeout(() => process.stdout.write(marker.slice(12)), 100);
    })`;
    const id = await stage.openNode(script, { over: 'pipe' });
    const turn = await stage.ask(id, 'go');
    expect(turn).toMatchObject({
      text: 'an answer',
      state: { outcome: 'completed', confidence: 'certain', decidedBy: 'screen_marker' },
    });
  });

  it('is not the environment being listed', async () => {
    await using stage = await commandStage();
    const script = `process.stdin.once('data', () => {
      const marker = process.env.SEMO_DONE_MARKER;
      console.log('SEMO_DONE_MARKER=' + marker + '\\ndeclare -x SEMO_DONE_MARKER="' + marker + '"');
      console.log('still at it');
      process.stdin.once('data', () => ${DONE});
    })`;
    const id = await stage.openNode(script, { over: 'pipe' });
    const { turnId } = await stage.sessions.sendPrompt(id, 'list');
    await printed(stage.sessions, id, 'still at it');
    expect((await stage.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
    await stage.sessions.sendText(id, 'go on\n');
    expect((await stage.sessions.waitForTurn(id, turnId)).state).toMatchObject({ decidedBy: 'screen_marker' });
  });

  it('is inferred from silence where nothing better tells, and only after it has spoken', async () => {
    const clock = new LeapClock();
    await using stage = await commandStage({ clock });
    const script = `process.stdin.once('data', () => {
      console.log('heard');
      process.stdin.once('data', () => console.log('more'));
    })`;
    const id = await stage.openNode(script);
    const log = new EventLog(stage.sessions, id);
    const { turnId } = await stage.sessions.sendPrompt(id, 'speak');
    await printed(stage.sessions, id, 'heard');
    clock.leap(20_000);
    expect((await stage.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
    await stage.sessions.sendText(id, 'again\n');
    await printed(stage.sessions, id, 'more');
    clock.leap(29_000);
    expect((await stage.sessions.getTurn(id, turnId))?.state.kind).toBe('running');
    clock.leap(2000);
    const turn = await stage.sessions.waitForTurn(id, turnId);
    expect(turn).toMatchObject({ state: { outcome: 'completed', confidence: 'inferred', decidedBy: 'silence' } });
    log.stop();
  });

  it.each([
    {
      script: `process.stdin.once('data', () => { console.log('bye'); process.exit(0); })`,
      state: { outcome: 'completed', decidedBy: 'exit' },
    },
    {
      script: `process.stdin.once('data', () => process.exit(3))`,
      state: { outcome: 'failed', error: { code: 'agent_exit_failed' } },
    },
    {
      script: `process.stdin.once('data', () => process.kill(process.pid, 'SIGTERM'))`,
      state: { outcome: 'crashed', error: { code: 'agent_crashed' } },
    },
  ])('is its exit: $state.outcome', async ({ script, state }) => {
    await using stage = await commandStage();
    for (const over of ['terminal', 'pipe'] as const) {
      const id = await stage.openNode(script, { over });
      expect((await stage.ask(id, 'go')).state).toMatchObject({ confidence: 'certain', ...state });
    }
  });

  it.each(['terminal', 'pipe'] as const)('is its exit also when it has read nothing: over a %s', async (over) => {
    await using stage = await commandStage();
    const id = await stage.openNode(`console.log('no questions, please')`, { over });
    const log = new EventLog(stage.sessions, id);
    if ((await stage.sessions.get(id))?.exit === null) await log.until((told) => told.of('exit').length > 0);
    const turn = await stage.ask(id, 'a question\n'.repeat(1000));
    expect(turn).toMatchObject({ text: 'no questions, please', state: { outcome: 'completed', decidedBy: 'exit' } });
    await expect(stage.ask(id, 'another')).rejects.toMatchObject({ code: 'session_terminated' });
    log.stop();
  });

  it('has the words of the command and not the echo of ours', async () => {
    await using stage = await commandStage();
    const script = `process.stdin.once('data', () => { console.log('mine'); ${DONE} })`;
    const id = await stage.openNode(script);
    expect((await stage.ask(id, 'yours, in\ntwo lines')).text).toBe('mine');
  });
});

describe('a command that cannot be started', () => {
  it.each(['/no/such/program', './here', 'no-such-program-anywhere', '/etc/passwd', '/tmp'])(
    'is not found: %s',
    async (name) => {
      await using stage = await commandStage();
      await expect(stage.open([name])).rejects.toMatchObject({
        code: 'agent_not_found',
        message: expect.stringContaining('PATH') as string,
      });
      expect(await stage.sessions.list()).toEqual([]);
    },
  );
});
