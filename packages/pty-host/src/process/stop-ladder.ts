import type { Clock } from '@semo-office/core';

import { isAlive, type ProcessEntry, type ProcessIdentity, type ProcessTable } from './process-table.ts';

/** How far a stop had to go, and what it left. */
export interface StopReport {
  /**
   * - `already_gone`: nothing was alive.
   * - `asked`: everything left when the agent was asked to.
   * - `terminated`: SIGTERM was needed.
   * - `killed`: SIGKILL was needed.
   */
  readonly rung: 'already_gone' | 'asked' | 'terminated' | 'killed';
  /** How many processes ended after we had signalled them. */
  readonly killed: number;
  /** What is still alive: a process we may not signal, or one the kernel holds. */
  readonly survivors: readonly ProcessIdentity[];
}

/** Options of a stop. */
export interface StopOptions {
  /** How long to wait after asking, and again after SIGTERM. */
  readonly graceMs: number;
  /** Asks the agent to leave by itself: its exit command, or the end of its input. */
  readonly askNicely?: (() => Promise<void> | void) | undefined;
  /** Ends the patience, not the stop: once aborted, what is left is killed at once. */
  readonly signal?: AbortSignal | undefined;
}

interface Ladder extends StopOptions {
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** Looks for everything that belongs to the session and is alive. */
  readonly members: () => Promise<readonly ProcessEntry[]>;
  /** Whether the agent itself still lives: once it does not, there is nobody left to wait for after asking. */
  readonly rootLives: () => boolean;
}

const LOOK_EVERY_MS = 20;
const SCAN_EVERY_LOOKS = 5;
const KILL_WITHIN_MS = 10_000;
const FREEZE_ROUNDS = 20;

/** Ends all processes of a session, from the kindest means to the last, until two looks in a row find none. */
export async function climbStopLadder(ladder: Ladder): Promise<StopReport> {
  const climb = new Climb(ladder);
  // The clock never keeps a process alive, but a host that is on its way out must get to the end of this.
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    if (await climb.isClean()) return climb.report('already_gone');
    if (await climb.ask()) return climb.report('asked');
    if (await climb.terminate()) return climb.report('terminated');
    await climb.kill();
    return climb.report('killed');
  } finally {
    clearInterval(hold);
  }
}

class Climb {
  readonly #ladder: Ladder;
  readonly #signalled = new Map<string, ProcessIdentity>();
  #members: readonly ProcessEntry[] = [];

  constructor(ladder: Ladder) {
    this.#ladder = ladder;
  }

  report(rung: StopReport['rung']): StopReport {
    const { table } = this.#ladder;
    const killed = [...this.#signalled.values()].filter((identity) => !isAlive(table, identity)).length;
    const survivors = this.#members
      .filter((member) => isAlive(table, member))
      .map(({ pid, startTime }) => ({ pid, startTime }));
    return { rung, killed, survivors };
  }

  /** Between two looks a process may have been born of one that died; two clean ones in a row are believed. */
  async isClean(): Promise<boolean> {
    for (let look = 0; look < 2; look += 1) {
      this.#members = await this.#ladder.members();
      if (this.#members.length > 0) return false;
      if (look === 0) await this.#wait(LOOK_EVERY_MS / 2);
    }
    return true;
  }

  async ask(): Promise<boolean> {
    const { askNicely, rootLives, signal, graceMs } = this.#ladder;
    if (askNicely === undefined || signal?.aborted === true || !rootLives()) return false;
    // An agent that hangs may hang in taking the request as well, and one that is going may refuse it.
    const asking = Promise.resolve()
      .then(askNicely)
      .catch(() => {});
    const asked = new AbortController();
    await Promise.race([asking, this.#wait(graceMs, asked.signal)]);
    // A timer that nobody waits for would keep this process alive for as long.
    asked.abort();
    return this.#awaitClean({ graceMs, giveUp: () => !rootLives() });
  }

  async terminate(): Promise<boolean> {
    const { signal, graceMs } = this.#ladder;
    if (signal?.aborted === true) return false;
    const term = (): void => {
      const fresh = this.#members.filter((member) => !this.#signalled.has(keyOf(member)));
      this.#send(fresh, 'SIGTERM');
      // A stopped process takes the signal when it goes on.
      this.#send(fresh, 'SIGCONT');
    };
    term();
    return this.#awaitClean({ graceMs, onScan: term });
  }

  async kill(): Promise<void> {
    const { clock } = this.#ladder;
    const deadline = clock.now() + KILL_WITHIN_MS;
    if (await this.#killNamespaces()) return;
    do {
      await this.#freeze();
      this.#send(this.#members, 'SIGKILL');
      await this.#wait(LOOK_EVERY_MS / 2);
      if (await this.isClean()) return;
    } while (clock.now() < deadline);
  }

  /** Nothing is forked faster than the kernel ends a namespace. Whether that was enough. */
  async #killNamespaces(): Promise<boolean> {
    const { table, members } = this.#ladder;
    this.#members = await members();
    const leaders = this.#members.filter(({ pid }) => table.innerPid(pid) === 1);
    if (leaders.length === 0) return false;
    for (const member of this.#members) this.#signalled.set(keyOf(member), member);
    for (const leader of leaders) if (this.#isSame(leader)) table.signal(leader.pid, 'SIGKILL');
    await this.#wait(LOOK_EVERY_MS);
    return this.isClean();
  }

  /** Whoever forks faster than we look is stopped first: what is stopped has no children. */
  async #freeze(): Promise<void> {
    const frozen = new Set<string>();
    for (let round = 0; round < FREEZE_ROUNDS; round += 1) {
      this.#members = await this.#ladder.members();
      const fresh = this.#members.filter((member) => !frozen.has(keyOf(member)));
      if (fresh.length === 0) return;
      for (const member of fresh) frozen.add(keyOf(member));
      this.#send(fresh, 'SIGSTOP');
    }
  }

  /** Groups that are wholly ours get the signal in one call, which no fork can slip through; then each one by itself. */
  #send(targets: readonly ProcessEntry[], signal: NodeJS.Signals): void {
    const { table } = this.#ladder;
    const present = targets.filter((target) => this.#isSame(target));
    const leaders = present.filter(({ pid, pgid }) => pid === pgid);
    for (const { pgid } of leaders) table.signal(-pgid, signal);
    for (const target of present) {
      if (signal === 'SIGTERM' || signal === 'SIGKILL') this.#signalled.set(keyOf(target), target);
      const reachedByGroup = leaders.some(({ pgid }) => pgid === target.pgid);
      if (!reachedByGroup && this.#isSame(target)) table.signal(target.pid, signal);
    }
  }

  /** Right before every signal: a pid that was given to another process since is left alone. */
  #isSame(target: ProcessEntry): boolean {
    return isAlive(this.#ladder.table, target);
  }

  async #awaitClean({
    graceMs,
    giveUp,
    onScan,
  }: {
    graceMs: number;
    giveUp?: () => boolean;
    onScan?: () => void;
  }): Promise<boolean> {
    const { clock, table, signal } = this.#ladder;
    const deadline = clock.now() + graceMs;
    for (let look = 1; ; look += 1) {
      const someLive = this.#members.some((member) => isAlive(table, member));
      if (!someLive || look % SCAN_EVERY_LOOKS === 0) {
        if (await this.isClean()) return true;
        onScan?.();
      }
      if (clock.now() >= deadline || signal?.aborted === true || giveUp?.() === true) return false;
      await this.#wait(Math.min(LOOK_EVERY_MS, graceMs));
    }
  }

  #wait(delayMs: number, until?: AbortSignal): Promise<void> {
    const { clock, signal } = this.#ladder;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        for (const each of [signal, until]) each?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.schedule(delayMs, done);
      for (const each of [signal, until]) each?.addEventListener('abort', done, { once: true });
    });
  }
}

function keyOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid}:${startTime}`;
}
