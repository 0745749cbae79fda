import { SemoError } from '@semo-office/core';
import { FakeClock } from '@semo-office/core/testing';
import { describe, expect, it, vi } from 'vitest';

import { HostRegistration } from '../../src/host/host-registration.ts';
import type { HostRepository } from '../../src/host/host-repository.ts';

const PROFILE = { hostId: 'h1', capacity: 1, labels: [], agentVersions: {}, leaseMs: 15_000, instance: 'us' };
const away = new SemoError('host_lost', 'The database did not answer.', { retryable: true });

/** A host that is registered, and a database that answers its heartbeats as told. */
async function registered() {
  const clock = new FakeClock();
  const heartbeat = vi.fn<HostRepository['heartbeat']>();
  const nothing = (): void => {};
  const registration = await HostRegistration.begin({
    clock,
    hosts: {
      register: async () => ({ fence: { hostId: 'h1', epoch: 1 }, leftBehind: [] }),
      heartbeat,
    } as unknown as HostRepository,
    profile: PROFILE,
    held: () => [],
    sessions: () => null,
    onRegisteredAgain: nothing,
    onLeftBehind: nothing,
    onDraining: nothing,
    onLost: nothing,
    onSuperseded: nothing,
    onProblem: nothing,
  });
  /** Lets the next heartbeat come, whenever it is due, and be over. */
  const beat = async (): Promise<void> => {
    const before = heartbeat.mock.calls.length;
    clock.advance(PROFILE.leaseMs);
    await vi.waitFor(() => expect(heartbeat.mock.calls.length).toBeGreaterThan(before));
    await vi.waitFor(() => expect(clock.pending).toBe(1));
  };
  return { registration, heartbeat, beat };
}

describe('a host that could not hold on to its lease', () => {
  it('does so as soon as the database answers anything, and once', async () => {
    const { registration, heartbeat, beat } = await registered();
    heartbeat.mockRejectedValue(away);
    for (let count = 0; count < 6; count += 1) await beat();
    heartbeat.mockResolvedValue({ draining: false, lost_commands: [] });
    registration.answered();
    registration.answered();
    expect(heartbeat).toHaveBeenCalledTimes(7);
  });

  it('keeps its pace where nothing has failed', async () => {
    const { registration, heartbeat, beat } = await registered();
    heartbeat.mockResolvedValue({ draining: false, lost_commands: [] });
    await beat();
    registration.answered();
    expect(heartbeat).toHaveBeenCalledTimes(1);
  });
});
