import { describe, expect, it } from 'vitest';

import type { Key } from '../../src/session/keys.ts';
import type { OutputSlice } from '../../src/session/output.ts';
import { expectError, type ContractRun, type StartedSession } from './contract-run.ts';

type RawSlice = Extract<OutputSlice, { as: 'raw' }>;

async function readRaw(
  run: ContractRun,
  id: string,
  range: { readonly from?: number; readonly maxBytes?: number },
): Promise<RawSlice> {
  const slice = await run.sessions.getOutput(id, { as: 'raw', ...range });
  if (slice.as === 'raw') return slice;
  throw new Error(`asked for raw bytes, got ${slice.as}`);
}

async function readAll(run: ContractRun, id: string, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (
    let slice = await readRaw(run, id, { maxBytes });
    slice.bytes.length > 0;
    slice = await readRaw(run, id, { from: slice.next, maxBytes })
  ) {
    expect(slice.bytes.length).toBeLessThanOrEqual(maxBytes);
    expect(slice.next).toBe(slice.from + slice.bytes.length);
    pieces.push(slice.bytes);
  }
  return Buffer.concat(pieces);
}

function told({ log }: StartedSession): { readonly bytes: Buffer; readonly end: number } {
  const bytes = Buffer.concat(log.of('output').map((event) => event.bytes));
  const last = log.of('output').at(-1);
  return { bytes, end: last === undefined ? 0 : last.offset + last.bytes.length };
}

/** The end of a turn may be told before its last words are painted: asks again after every piece of output. */
async function untilOnScreen(run: ContractRun, { id, log }: StartedSession, pattern: string | RegExp): Promise<void> {
  const isThere = (text: string): boolean =>
    typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
  for (;;) {
    const pieces = log.of('output').length;
    const screen = await run.sessions.getOutput(id, { as: 'screen' });
    if (screen.as === 'screen' && isThere(screen.lines.join('\n'))) return;
    await log.until(() => log.of('output').length > pieces);
  }
}

/** Typing, sizes and output. */
export function terminalContract(run: ContractRun, { canType = true }: { readonly canType?: boolean }): void {
  describe('terminal', () => {
    it(`takes ${canType ? 'text, keys and' : 'no text and no keys, but'} a size`, async () => {
      const { id } = await run.start();
      const typing = [() => run.sessions.sendText(id, 'x'), () => run.sessions.sendKeystrokes(id, ['Backspace'])];
      for (const type of typing) {
        if (canType) await type();
        else await expectError(type(), 'not_supported');
      }
      if (canType) await run.sessions.sendKeystrokes(id, []);
      await run.sessions.resize(id, { cols: 100, rows: 30 });
      expect((await run.sessions.get(id))?.status).toBe('ready');
    });

    it('refuses keys and sizes there are none of', async () => {
      const { id } = await run.borrow();
      await expectError(run.sessions.sendKeystrokes(id, ['Anykey' as Key]), 'invalid_argument');
      await expectError(run.sessions.resize(id, { cols: 0, rows: 24 }), 'invalid_argument');
      await expectError(run.sessions.resize(id, { cols: 80, rows: 2.5 }), 'invalid_argument');
      await expectError(run.sessions.getOutput(id, { maxBytes: 1 }), 'invalid_argument');
    });

    it('answers by offset what the output events told', async () => {
      const session = await run.start();
      await session.run(run.prompts.quick);
      await run.sessions.terminate(session.id);
      const { end } = await readRaw(run, session.id, {});
      await session.log.until(() => session.log.of('exit').length > 0 && told(session).end >= end);
      const whole = await readAll(run, session.id, 65_536);
      expect(whole.length).toBeGreaterThan(0);
      expect(told(session).bytes.equals(whole)).toBe(true);
      expect((await readAll(run, session.id, 7)).equals(whole)).toBe(true);
      expect((await run.sessions.get(session.id))?.output).toEqual({ start: 0, end: whole.length });
    });

    it('gives output as text and as a screen, also after the end', async () => {
      const session = await run.start();
      await session.run(run.prompts.quick);
      await untilOnScreen(run, session, run.prompts.quickAnswer);
      await run.sessions.terminate(session.id);
      const text = await run.sessions.getOutput(session.id);
      expect(text.as === 'text' ? text.text : '').toMatch(run.prompts.quickAnswer);
    });

    it('gives nothing at the end, and an error beyond it', async () => {
      const session = await run.borrow();
      await run.sessions.terminate(session.id);
      const { end } = await readRaw(run, session.id, {});
      expect(await readRaw(run, session.id, { from: end })).toMatchObject({ from: end, next: end, end });
      await expectError(run.sessions.getOutput(session.id, { from: end + 1 }), 'output_beyond_end');
    });

    const { printLines } = run.prompts;
    if (printLines === null) return;
    it('says so when output is no longer kept', async () => {
      const session = await run.start({ maxOutputBytes: 4096 });
      await session.run(printLines(2000));
      await session.log.until(() => told(session).end > 4096);
      const error = await expectError(run.sessions.getOutput(session.id, { from: 0 }), 'output_dropped');
      const { start, end } = await readRaw(run, session.id, {});
      expect(start).toBeGreaterThan(0);
      expect(end - start).toBeLessThanOrEqual(4096);
      expect(error.details).toMatchObject({
        requested: 0,
        start: expect.any(Number) as number,
        end: expect.any(Number) as number,
      });
    });
  });
}
