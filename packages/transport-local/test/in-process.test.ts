import { describe, expect, it } from 'vitest';

import type { Command, CommandResult, LinkStatus, WireEvent } from '@semo-office/core';
import { expectError } from '@semo-office/core/testing';

import { inProcessTransport } from '../src/index.ts';

const command: Command = { commandId: 'c1', body: { kind: 'cancel', sessionId: 's' } };
const done: CommandResult = { success: true, result: { deep: [1] } };
const event: WireEvent = { name: 'exit', sessionId: 's', code: 0, signal: null, at: 1 };

describe('inProcessTransport', () => {
  it('carries copies, later', async () => {
    const { office, host } = inProcessTransport();
    const arrived: Command[] = [];
    host.serve(async (copy) => {
      arrived.push(copy);
      return done;
    });
    const dispatched = office.dispatch(command);
    expect(arrived).toEqual([]);
    const result = await dispatched;
    expect(arrived).toEqual([command]);
    expect(arrived[0]).not.toBe(command);
    expect(result).toEqual(done);
    expect(result).not.toBe(done);
  });

  it('tells events later, as copies, until unsubscribed', async () => {
    const { office, host } = inProcessTransport();
    const heard: WireEvent[] = [];
    const off = office.onEvent((copy) => heard.push(copy));
    host.publish(event);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([event]);
    expect(heard[0]).not.toBe(event);
    off();
    host.publish(event);
    await Promise.resolve();
    expect(heard).toHaveLength(1);
  });

  it('is lost while nobody serves', async () => {
    const { office, host } = inProcessTransport();
    const told: LinkStatus[] = [];
    office.onStatus((status) => told.push(status));
    await expectError(office.dispatch(command), 'host_lost');
    const stop = host.serve(async () => done);
    expect(() => host.serve(async () => done)).toThrow('already');
    expect(await office.dispatch(command)).toEqual(done);
    stop();
    stop();
    await expectError(office.dispatch(command), 'host_lost');
    expect(told).toEqual(['connected', 'disconnected']);
  });

  it('fails what is pending with host_lost when the host closes', async () => {
    const { office, host } = inProcessTransport();
    const told: LinkStatus[] = [];
    office.onStatus((status) => told.push(status));
    host.serve(() => new Promise(() => {}));
    const pending = expectError(office.dispatch(command), 'host_lost');
    await host.close();
    await host.close();
    await pending;
    await expectError(office.dispatch(command), 'host_lost');
    expect(() => host.serve(async () => done)).toThrow('closed');
    expect(told).toEqual(['connected', 'disconnected']);
  });

  it('fails what is pending with closed when the office closes', async () => {
    const { office, host } = inProcessTransport();
    const told: LinkStatus[] = [];
    office.onStatus((status) => told.push(status));
    host.serve(() => new Promise(() => {}));
    const pending = expectError(office.dispatch(command), 'closed');
    await office.close();
    await office.close();
    await pending;
    await expectError(office.dispatch(command), 'closed');
    host.publish(event);
    expect(told).toEqual(['closed']);
  });

  it('gives a command up by its signal', async () => {
    const { office, host } = inProcessTransport();
    host.serve(() => new Promise(() => {}));
    const giveUp = new AbortController();
    const pending = expectError(office.dispatch(command, { signal: giveUp.signal }), 'aborted');
    giveUp.abort();
    await pending;
    await expectError(office.dispatch(command, { signal: giveUp.signal }), 'aborted');
  });
});
