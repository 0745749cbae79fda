import { SemoError, isSemoError, type Cancel, type Clock } from '@semo-office/core';

import type { Fence } from '../command/command-repository.ts';
import { backoffMs } from '../waking/poll-pace.ts';
import type { HostProfile, HostRepository, Registered } from './host-repository.ts';
import { successionIn } from './succession.ts';

/** What {@link HostRegistration} needs. */
export interface RegistrationParts {
  readonly clock: Clock;
  readonly hosts: HostRepository;
  readonly profile: HostProfile;
  /** The commands that are being carried out. */
  readonly held: () => readonly string[];
  /** The sessions that live on the host; `null`: it does not say. */
  readonly sessions: () => readonly string[] | null;
  /** The host was given up and is there again, under another epoch: what it was handed out before is not its own. */
  readonly onRegisteredAgain: () => void;
  /** These sessions were given up while the host was away. */
  readonly onLeftBehind: (sessionIds: readonly string[]) => void;
  /** Somebody has said that the host is to drain, or to go on. */
  readonly onDraining: (isDraining: boolean) => void;
  /** Commands that are somebody else's by now. */
  readonly onLost: (commandIds: readonly string[]) => void;
  /** Another process has the host by now: this one is nobody any more, and is to be closed. */
  readonly onSuperseded: (why: SemoError) => void;
  readonly onProblem: (problem: SemoError) => void;
}

/** A host's standing: its epoch, held on to by heartbeats, and taken anew when the host has been given up. */
export class HostRegistration {
  readonly #parts: RegistrationParts;
  readonly #ownEpochs = new Set<number>();
  #fence: Fence;
  #renewing: Promise<void> | null = null;
  #cancel: Cancel = () => {};
  #beating: Promise<void> = Promise.resolve();
  #isBeating = false;
  #failures = 0;
  #isOver = false;
  /** By its own word: what its office says of it is its office's to take back. */
  #isDraining = false;

  private constructor(parts: RegistrationParts, fence: Fence) {
    this.#parts = parts;
    this.#fence = fence;
    this.#ownEpochs.add(fence.epoch);
    this.#beatLater(this.#pauseMs);
  }

  /** @throws SemoError `not_supported`: the database speaks another protocol; `sign_in_refused`, `host_lost`. */
  static async begin(parts: RegistrationParts): Promise<HostRegistration> {
    const { fence, leftBehind } = await registerAs(parts, { isDraining: false });
    parts.onLeftBehind(leftBehind);
    return new HostRegistration(parts, fence);
  }

  /** Under what this host writes now. */
  get fence(): Fence {
    return this.#fence;
  }

  /** Whether this process was registered under that epoch. */
  isOwn(epoch: number): boolean {
    return this.#ownEpochs.has(epoch);
  }

  /**
   * A write under `fence` was refused as `lease_lost`: registers again, once for all who notice; never where another process has
   * the host by now. @throws SemoError `lease_lost`: that is so.
   */
  async registerAgain(fence: Fence, refusal: SemoError): Promise<void> {
    if (this.#isOver || fence.epoch !== this.#fence.epoch) return;
    const superseded = successionIn(refusal, this.#parts.profile);
    if (superseded !== null) {
      this.#isOver = true;
      this.#cancel();
      this.#parts.onSuperseded(superseded);
      throw superseded;
    }
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    await this.#renewing;
  }

  /** The host takes no new sessions from now on, also when it is given up and registers again. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#parts.hosts.drain(this.#parts.profile.hostId);
  }

  /**
   * The database answers again: holds on to the lease at once, and not when the next try would be due. It may be over by now, and
   * whoever notices first, a host that is back or an office that looks for lost ones, decides.
   */
  answered(): void {
    if (this.#failures === 0 || this.#isOver) return;
    this.#failures = 0;
    if (this.#isBeating) return;
    this.#cancel();
    this.#beating = this.#beat();
  }

  /** Says goodbye: no new commands, and the host's sessions are lost to the office. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    await this.#beating;
    await this.#renewing?.catch(() => {});
    await this.#parts.hosts.signOff(this.#fence).catch((thrown: unknown) => {
      // Somebody else has the host by now, or will notice by the lease.
      if (!isSemoError(thrown, 'lease_lost')) this.#parts.onProblem(SemoError.from(thrown));
    });
  }

  async #renew(): Promise<void> {
    const { onRegisteredAgain, onLeftBehind } = this.#parts;
    const { fence, leftBehind } = await registerAs(this.#parts, { isDraining: this.#isDraining });
    this.#fence = fence;
    this.#ownEpochs.add(fence.epoch);
    onLeftBehind(leftBehind);
    onRegisteredAgain();
  }

  /** A third of the lease: two heartbeats may be lost. */
  get #pauseMs(): number {
    return this.#parts.profile.leaseMs / 3;
  }

  #beatLater(delayMs: number): void {
    if (this.#isOver) return;
    this.#cancel = this.#parts.clock.schedule(delayMs, () => {
      this.#beating = this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const { hosts, profile, held, onLost, onDraining, onProblem } = this.#parts;
    const fence = this.#fence;
    this.#isBeating = true;
    try {
      const { lost_commands: lost, draining } = await hosts.heartbeat(fence, {
        leaseMs: profile.leaseMs,
        held: held(),
      });
      if (lost.length > 0) onLost(lost);
      onDraining(draining);
      this.#failures = 0;
      this.#beatLater(this.#pauseMs);
    } catch (thrown) {
      const error = SemoError.from(thrown);
      onProblem(error);
      this.#failures += 1;
      const retryMs = backoffMs(
        { firstMs: 250, longestMs: this.#pauseMs },
        { failures: this.#failures, chance: Math.random() },
      );
      if (error.code === 'lease_lost')
        await this.registerAgain(fence, error).catch((failed: unknown) => {
          if (!this.#isOver) onProblem(SemoError.from(failed));
        });
      this.#beatLater(retryMs);
    } finally {
      this.#isBeating = false;
    }
  }
}

function registerAs(
  { hosts, profile, sessions }: RegistrationParts,
  { isDraining }: { readonly isDraining: boolean },
): Promise<Registered> {
  return hosts.register(profile, { sessions: sessions(), isDraining });
}
