import { z } from 'zod';

import type { Fence } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowOf, rowsOf } from '../database/rows.ts';
import { PROTOCOL_VERSION } from '../protocol.ts';

/** What a host tells of itself when it registers. */
export interface HostProfile {
  readonly hostId: string;
  readonly capacity: number;
  readonly labels: readonly string[];
  readonly agentVersions: Readonly<Record<string, string>>;
  readonly leaseMs: number;
  /** Which process it is: made anew for each. */
  readonly instance: string;
}

const registeredRowSchema = z.object({ epoch: z.number().int(), left_behind: z.array(z.string()) });
const heartbeatRowSchema = z.object({ draining: z.boolean(), lost_commands: z.array(z.string()) });
const livingRowSchema = z.object({ host_id: z.string(), protocol: z.number().int() });

/** How a host is as it registers. */
export interface HostCondition {
  /** Those that live on it; `null`: it does not say. */
  readonly sessions: readonly string[] | null;
  /** By its own word, not its office's. */
  readonly isDraining: boolean;
}

/** What a host learns when it registers. */
export interface Registered {
  readonly fence: Fence;
  /** Sessions that were given up while it was away, and that it has to end. */
  readonly leftBehind: readonly string[];
}

/** How hosts are looked after; in milliseconds. */
export interface SweepTimes {
  /** For how long a host that is lost may come back to its sessions. */
  readonly graceMs: number;
  /** Nothing is done where somebody has less than that long ago. */
  readonly pauseMs: number;
}

/** Hosts in the database. */
export class HostRepository {
  readonly #door: DatabaseDoor;
  readonly #officeId: string;

  constructor(door: DatabaseDoor, officeId: string) {
    this.#door = door;
    this.#officeId = officeId;
  }

  /** Begins a life under a new epoch. */
  async register(profile: HostProfile, { sessions, isDraining }: HostCondition): Promise<Registered> {
    const { hostId, capacity, labels, agentVersions, leaseMs, instance } = profile;
    const rows = await this.#door.call('semo_register_host', {
      p_office_id: this.#officeId,
      p_host_id: hostId,
      p_protocol: PROTOCOL_VERSION,
      p_capacity: capacity,
      p_labels: [...labels],
      p_agents: { ...agentVersions },
      p_lease_ms: leaseMs,
      p_instance: instance,
      p_draining: isDraining,
      ...(sessions === null ? {} : { p_sessions: [...sessions] }),
    });
    const { epoch, left_behind: leftBehind } = rowOf(registeredRowSchema, rows, 'registration');
    return { fence: { hostId, epoch }, leftBehind };
  }

  /** Holds on to the host's lease and to those commands. @throws SemoError `lease_lost`: the host was given up. */
  async heartbeat(fence: Fence, { leaseMs, held }: { readonly leaseMs: number; readonly held: readonly string[] }) {
    const rows = await this.#door.call('semo_heartbeat_host', {
      ...this.#fenced(fence),
      p_lease_ms: leaseMs,
      p_commands: [...held],
    });
    return rowOf(heartbeatRowSchema, rows, 'heartbeat');
  }

  /** The host drains by its own word. */
  async drain(hostId: string): Promise<void> {
    await this.#door.call('semo_drain_host', { p_office_id: this.#officeId, p_host_id: hostId, p_by_host: true });
  }

  async signOff(fence: Fence): Promise<void> {
    await this.#door.call('semo_sign_off_host', this.#fenced(fence));
  }

  /** The hosts that are there, as far as anybody has noticed. */
  async living() {
    const rows = await this.#door.select({
      table: 'session_hosts',
      columns: 'host_id, protocol',
      where: { office_id: this.#officeId, state: 'online' },
      orderBy: ['host_id'],
    });
    return rowsOf(livingRowSchema, rows, 'hosts');
  }

  /** Notices hosts that did not hold on to their lease or stay away, and commands that nobody took in time. */
  async sweep({ graceMs, pauseMs }: SweepTimes): Promise<void> {
    await this.#door.call('semo_sweep', {
      p_office_id: this.#officeId,
      p_grace_ms: Math.round(graceMs),
      p_pause_ms: Math.round(pauseMs),
    });
  }

  #fenced({ hostId, epoch }: Fence) {
    return { p_office_id: this.#officeId, p_host_id: hostId, p_epoch: epoch };
  }
}
