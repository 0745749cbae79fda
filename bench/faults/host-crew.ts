import { setTimeout as pause } from 'node:timers/promises';

import { startChild, type Child } from './child.ts';
import type { HostArguments } from './host-main.ts';

interface Member {
  readonly argument: HostArguments;
  child: Child;
  state: 'up' | 'paused' | 'away';
}

/** The host processes of a run, by number from 1 on. One that was killed comes back under the same host id. */
export class HostCrew implements AsyncDisposable {
  readonly #members: readonly Member[];
  readonly #errands = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(hosts: readonly HostArguments[]) {
    this.#members = hosts.map((argument) => ({ argument, child: startHost(argument), state: 'up' }));
  }

  /** Resolves when all have registered. */
  async ready(): Promise<void> {
    await Promise.all(this.#members.map(({ child }) => child.ready));
  }

  /** Kills that host, or the next one that is up, and starts it anew after that time. False: none is up. */
  kill(number: number, awayMs: number): boolean {
    return this.#withNext(number, async (member) => {
      member.state = 'away';
      await member.child.kill();
      await this.#pause(awayMs);
      if (this.#stopped.signal.aborted) return;
      member.child = startHost(member.argument);
      await member.child.ready;
      member.state = 'up';
    });
  }

  /** Has that host, or the next one that is up, stand still for so long. False: none is up. */
  pause(number: number, forMs: number): boolean {
    return this.#withNext(number, async (member) => {
      member.state = 'paused';
      member.child.process.kill('SIGSTOP');
      await this.#pause(forMs);
      member.child.process.kill('SIGCONT');
      member.state = 'up';
    });
  }

  /** What each has said on its error output, where it has said anything. */
  said(): string[] {
    return this.#members.flatMap(({ argument, child }) => {
      const said = child.said();
      return said === '' ? [] : [`${argument.hostId}: ${said}`];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    for (const { child } of this.#members) await child.kill();
    await Promise.allSettled(this.#errands);
    // One may have been started meanwhile.
    for (const { child } of this.#members) await child.kill();
  }

  #withNext(number: number, act: (member: Member) => Promise<void>): boolean {
    const from = number - 1;
    const inOrder = [...this.#members.slice(from), ...this.#members.slice(0, from)];
    const member = inOrder.find(({ state }) => state === 'up');
    if (member === undefined) return false;
    const errand = act(member).finally(() => this.#errands.delete(errand));
    // Whoever waits for the crew's end hears of a failure by the report.
    errand.catch(() => undefined);
    this.#errands.add(errand);
    return true;
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

function startHost(argument: HostArguments): Child {
  return startChild('host-main.ts', argument);
}
