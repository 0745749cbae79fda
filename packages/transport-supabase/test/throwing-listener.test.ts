import { FakeClock } from '@semo-office/core/testing';
import { expect, it, onTestFinished, vi } from 'vitest';

import { createSupabaseTransport } from '../src/index.ts';
import { MuteProject } from './mute-project.ts';
import { PATIENCE } from './project.ts';

it('an onProblem that throws does not keep a host from holding on to its lease, nor an office from looking', async () => {
  const printed = vi.spyOn(console, 'error').mockReturnValue();
  onTestFinished(() => printed.mockRestore());
  const clock = new FakeClock();
  const project = new MuteProject(['semo_register_host', 'semo_sign_off_host']);
  const bug = new Error('a bug of whoever listens');
  const transport = createSupabaseTransport({
    client: project.access,
    officeId: 'acme',
    realtime: false,
    clock,
    onProblem() {
      throw bug;
    },
  });
  await transport.host({ hostId: 'h1', capacity: 1 });
  transport.office();
  const names = ['semo_heartbeat_host', 'semo_sweep', 'semo_event_heads'];
  // Refused by all of these alike.
  for (const name of names) project.refuse(name);
  const asked = () => names.map((name) => project.asked.filter((one) => one === name).length);
  for (let round = 1; round <= 3; round += 1) {
    const before = asked();
    clock.advance(10_000);
    await vi.waitFor(() => expect(asked().every((count, place) => count > (before[place] ?? 0))).toBe(true), PATIENCE);
  }
  expect(printed).toHaveBeenCalledWith(expect.any(String), bug);
  await transport.close();
});
