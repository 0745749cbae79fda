import { z } from 'zod';

import type { Fence } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowOf, rowsOf } from '../database/rows.ts';

/** Raised whenever what hosts and offices write for each other changes its meaning. */
export const PROTOCOL_VERSION = 1;

/** What a host tells of itself when it registers. */
export interface HostProfile {
  readonly hostId: string;
  readonly capacity: number;
  readonly labels: readonly string[];
  readonly agentVersions: Readonly<Record<string, string>>;
  readonly leaseMs: number;
}

const registeredRowSchema = z.object({ epoch: z.number().int() });
const heartbeatRowSchema = z.object({ draining: z.boolean(), lost_commands: z.array(z.string()) });
const livingRowSchema = z.object({ host_id: z.string(), protocol: z.number().int() });
const sweptRowSchema = z.object({ lost_hosts: z.array(z.string()), ended_commands: z.number().int() });

/** Hosts in the database. */
export class HostRepository {
  readonly #door: DatabaseDoor;
  readonly #officeId: string;

  constructor(door: DatabaseDoor, officeId: string) {
    this.#door = door;
    this.#officeId = officeId;
  }

  /** Begins a life under a new epoch. @param sessions - Those that live on the host; `null`: it does not say. */
  async register(profile: HostProfile, sessions: readonly string[] | null): Promise<Fence> {
    const { hostId, capacity, labels, agentVersions, leaseMs } = profile;
    const rows = await this.#door.call('semo_register_host', {
      p_office_id: this.#officeId,
      p_host_id: hostId,
      p_protocol: PROTOCOL_VERSION,
      p_capacity: capacity,
      p_labels: [...labels],
      p_agents: { ...agentVersions },
      p_lease_ms: leaseMs,
      ...(sessions === null ? {} : { p_sessions: [...sessions] }),
    });
    return { hostId, epoch: rowOf(registeredRowSchema, rows, 'registration').epoch };
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

  async drain(hostId: string): Promise<void> {
    await this.#door.call('semo_drain_host', { p_office_id: this.#officeId, p_host_id: hostId });
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

  /** Notices hosts that did not hold on to their lease, and commands that nobody took in time. */
  async sweep(): Promise<readonly string[]> {
    const rows = await this.#door.call('semo_sweep', { p_office_id: this.#officeId });
    return rowOf(sweptRowSchema, rows, 'sweep').lost_hosts;
  }

  #fenced({ hostId, epoch }: Fence) {
    return { p_office_id: this.#officeId, p_host_id: hostId, p_epoch: epoch };
  }
}
