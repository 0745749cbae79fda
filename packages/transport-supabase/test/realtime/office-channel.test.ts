import type { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { OfficeChannel } from '../../src/realtime/office-channel.ts';
import type { ChannelListeners, RealtimeLine } from '../../src/realtime/realtime-line.ts';

class ScriptedLine implements RealtimeLine {
  listeners: ChannelListeners | null = null;
  isClosed = false;
  authorisations = 0;

  async join(_topic: string, listeners: ChannelListeners): Promise<void> {
    this.listeners = listeners;
  }

  async authorise(): Promise<void> {
    this.authorisations += 1;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function stage() {
  const clock = new FakeClock();
  const lines: ScriptedLine[] = [];
  const told: string[] = [];
  const channel = new OfficeChannel({
    clock,
    topic: 'office:o1:events',
    openLine() {
      // Two at once would be joined twice.
      expect(lines.every(({ isClosed }) => isClosed)).toBe(true);
      const line = new ScriptedLine();
      lines.push(line);
      return line;
    },
    limits: { joinWithinMs: 20_000, silentForMs: 20_000, maxRejoins: 2 },
    backoff: { firstMs: 250, longestMs: 30_000 },
    settleMs: 3000,
    onBroadcast: (event) => told.push(event),
    onCatchUp: () => told.push('catch up'),
    onLive: (isLive) => told.push(isLive ? 'live' : 'not live'),
    onProblem: (problem: SemoError) => told.push(problem.code),
  });
  channel.open();
  const say = (status: Parameters<ChannelListeners['onStatus']>[0]): void => lines.at(-1)?.listeners?.onStatus(status);
  return { clock, lines, told, channel, say };
}

describe('OfficeChannel', () => {
  it('catches up when it has joined, and once more when it has settled', () => {
    const { clock, told, say } = stage();
    say('SUBSCRIBED');
    expect(told).toEqual(['live', 'catch up']);
    clock.advance(3000);
    expect(told).toEqual(['live', 'catch up', 'catch up']);
  });

  it('makes another channel when the server closes it, and not at once', async () => {
    const { clock, lines, told, channel, say } = stage();
    say('SUBSCRIBED');
    say('CLOSED');
    expect(channel.isLive).toBe(false);
    expect(told).toEqual(['live', 'catch up', 'not live', 'host_lost']);
    clock.advance(249);
    await settled();
    expect(lines).toHaveLength(1);
    clock.advance(251);
    await settled();
    expect(lines.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    say('SUBSCRIBED');
    expect(told.at(-1)).toBe('catch up');
  });

  it('leaves a channel alone that joins again by itself', async () => {
    const { clock, lines, told, say } = stage();
    say('SUBSCRIBED');
    say('CHANNEL_ERROR');
    clock.advance(10_000);
    await settled();
    say('SUBSCRIBED');
    expect(lines).toHaveLength(1);
    expect(told.filter((what) => what === 'catch up').length).toBeGreaterThanOrEqual(2);
    expect(told.at(-1)).toBe('catch up');
  });

  it('tries anew, ever more rarely, where nothing more is said after a refusal', async () => {
    const { clock, lines, told, say } = stage();
    say('CHANNEL_ERROR');
    clock.advance(20_000);
    await settled();
    expect(told).toEqual(['host_lost']);
    clock.advance(500);
    await settled();
    expect(lines).toHaveLength(2);
    clock.advance(20_000);
    await settled();
    clock.advance(499);
    await settled();
    expect(lines).toHaveLength(2);
    clock.advance(501);
    await settled();
    expect(lines).toHaveLength(3);
  });

  it('gives up a connection that answers no heartbeat', async () => {
    const { clock, lines, say } = stage();
    say('SUBSCRIBED');
    clock.advance(15_000);
    lines[0]?.listeners?.onHeartbeat();
    clock.advance(19_000);
    await settled();
    expect(lines[0]?.isClosed).toBe(false);
    clock.advance(1000);
    await settled();
    expect(lines[0]?.isClosed).toBe(true);
  });

  it('is deaf and still once it is closed', async () => {
    const { clock, lines, told, channel, say } = stage();
    say('SUBSCRIBED');
    await channel.authorise();
    await channel.close();
    told.length = 0;
    say('CLOSED');
    clock.advance(60_000);
    await settled();
    expect(told).toEqual([]);
    expect(lines.map(({ isClosed, authorisations }) => [isClosed, authorisations])).toEqual([[true, 1]]);
    expect(clock.pending).toBe(0);
  });
});
