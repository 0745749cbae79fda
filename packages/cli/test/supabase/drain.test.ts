import { FakeClock, createScriptedSessions, scriptedSpec } from '@semo-office/core/testing';
import { describe, expect, it, vi } from 'vitest';

import { untilIdle } from '../../src/supabase/drain.ts';
import { waitedFor } from '../../src/supabase/impatience.ts';
import { problemLog } from '../../src/supabase/problem-log.ts';
import { SemoError } from 'semo-office';

/** Scripted sessions, in a time of their own, that are drained for a minute at most. */
function stage() {
  const clock = new FakeClock();
  const agents = new FakeClock();
  const sessions = createScriptedSessions({ clock: agents });
  const hurry = new AbortController();
  const drain = () => untilIdle(sessions, { withinMs: 60_000, hurry: hurry.signal, clock });
  return { clock, agents, sessions, hurry, drain };
}

/** Besides the end of all patience, the end of the quiet is scheduled. */
const untilQuiet = (clock: FakeClock) => vi.waitFor(() => expect(clock.pending).toBe(2));
const untilBusy = (clock: FakeClock) => vi.waitFor(() => expect(clock.pending).toBe(1));

describe('draining', () => {
  it('is over at once where there is no session, and leaves nothing behind', async () => {
    const { clock, drain } = stage();
    expect(await drain()).toBe('idle');
    expect(clock.pending).toBe(0);
  });

  it('waits for a turn, and then a moment for what comes right after it', async () => {
    const { clock, agents, sessions, drain } = stage();
    await sessions.create(scriptedSpec('ses_1'));
    await sessions.sendPrompt('ses_1', 'work 5000: done');
    const drained = vi.fn<(end: string) => void>();
    const draining = drain().then(drained);
    agents.advance(5000);
    await untilQuiet(clock);
    clock.advance(1000);
    await sessions.sendPrompt('ses_1', 'work 10000: more');
    await untilBusy(clock);
    clock.advance(10_000);
    agents.advance(10_000);
    await untilQuiet(clock);
    expect(drained).not.toHaveBeenCalled();
    clock.advance(2000);
    await draining;
    expect(drained).toHaveBeenCalledWith('idle');
  });

  it('has an end, and can be hurried', async () => {
    const { clock, sessions, hurry, drain } = stage();
    await sessions.create(scriptedSpec('ses_1'));
    await sessions.sendPrompt('ses_1', 'hang');
    const late = drain();
    clock.advance(60_000);
    expect(await late).toBe('late');
    const hurried = drain();
    hurry.abort();
    expect(await hurried).toBe('hurried');
    expect(await drain()).toBe('hurried');
    expect(clock.pending).toBe(0);
  });
});

describe('what the project is asked for', () => {
  const never = new Promise<void>(() => {});

  it('is waited for until it is over, however it ends', async () => {
    const clock = new FakeClock();
    const { signal: hurry } = new AbortController();
    await waitedFor(Promise.reject(new Error('away')), { hurry, withinMs: 1000, clock });
    expect(clock.pending).toBe(0);
    const late = waitedFor(never, { hurry, withinMs: 1000, clock });
    clock.advance(1000);
    await late;
  });

  it('is waited for a moment by who is in a hurry', async () => {
    const clock = new FakeClock();
    const hurry = new AbortController();
    const waiting = waitedFor(never, { hurry: hurry.signal, hurriedMs: 500, clock });
    expect(clock.pending).toBe(0);
    hurry.abort();
    clock.advance(500);
    await waiting;
    const again = waitedFor(never, { hurry: hurry.signal, clock });
    clock.advance(0);
    await again;
    expect(clock.pending).toBe(0);
  });
});

describe('what goes wrong while it is tried again', () => {
  it('is told once a minute', () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 1));
    const told: string[] = [];
    const log = problemLog((line) => told.push(line), clock);
    const away = new SemoError('host_lost', 'The database did not answer.');
    log(away);
    log(away);
    log(new SemoError('sign_in_refused', 'It was over at 10.'));
    log(new SemoError('sign_in_refused', 'It was over at 11.'));
    clock.advance(60_000);
    log(away);
    expect(told).toEqual([
      '2026-01-01T00:00:00.000Z host_lost: The database did not answer.\n',
      '2026-01-01T00:00:00.000Z sign_in_refused: It was over at 10.\n',
      '2026-01-01T00:01:00.000Z host_lost: The database did not answer.\n',
    ]);
  });
});
