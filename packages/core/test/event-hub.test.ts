import { describe, expect, it, vi } from 'vitest';

import { EventHub } from '../src/index.ts';

interface Events {
  ping: { readonly n: number };
  pong: string;
}

describe('EventHub', () => {
  it('tells listeners of that name, in the order they were added', () => {
    const hub = new EventHub<Events>();
    const heard: string[] = [];
    hub.on('ping', ({ n }) => heard.push(`first ${n}`));
    hub.on('ping', ({ n }) => heard.push(`second ${n}`));
    hub.on('pong', (text) => heard.push(text));
    hub.emit('ping', { n: 1 });
    expect(heard).toEqual(['first 1', 'second 1']);
  });

  it('takes each subscription back once, also when a listener was added twice', () => {
    const hub = new EventHub<Events>();
    const heard: string[] = [];
    const listener = (text: string): void => void heard.push(text);
    const off = hub.on('pong', listener);
    hub.on('pong', listener);
    off();
    off();
    hub.emit('pong', 'x');
    expect(heard).toEqual(['x']);
    expect(hub.listenerCount()).toBe(1);
    expect(hub.listenerCount('ping')).toBe(0);
    hub.clear();
    expect(hub.listenerCount()).toBe(0);
  });

  it('goes on after a listener that throws, and tells of it', () => {
    const thrown: unknown[] = [];
    const hub = new EventHub<Events>({ onListenerError: (error) => thrown.push(error) });
    const heard: string[] = [];
    const bug = new Error('bug');
    hub.on('pong', () => {
      throw bug;
    });
    hub.on('pong', (text) => heard.push(text));
    hub.emit('pong', 'x');
    expect(heard).toEqual(['x']);
    expect(thrown).toEqual([bug]);
  });

  it('prints what a listener throws when nobody is told', () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const hub = new EventHub<Events>();
    hub.on('pong', () => {
      throw new Error('bug');
    });
    hub.emit('pong', 'x');
    expect(printed).toHaveBeenCalledOnce();
    printed.mockRestore();
  });

  it('lets a listener leave, and another come, while it is told', () => {
    const hub = new EventHub<Events>();
    const heard: string[] = [];
    const off = hub.on('pong', () => {
      off();
      hub.on('pong', () => heard.push('late'));
      heard.push('once');
    });
    hub.emit('pong', 'x');
    expect(heard).toEqual(['once']);
    hub.emit('pong', 'y');
    expect(heard).toEqual(['once', 'late']);
  });
});
