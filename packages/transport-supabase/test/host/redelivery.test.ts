import { describe, expect, it } from 'vitest';

import { redeliveryOf } from '../../src/host/redelivery.ts';

const isOwn = (epoch: number): boolean => epoch === 2;

describe('redeliveryOf', () => {
  it.each([
    ['send_prompt', null, null, 'carry_out'],
    ['send_keystrokes', null, null, 'carry_out'],
    ['send_prompt', 2, null, 'carry_out'],
    ['send_keystrokes', 2, null, 'carry_out'],
    ['create_session', 1, null, 'carry_out'],
    ['terminate', 1, null, 'carry_out'],
    ['send_text', 1, null, 'say_unknown'],
    ['send_keystrokes', 1, null, 'say_unknown'],
    ['send_prompt', 1, 'intent', 'carry_out'],
    ['send_prompt', 1, 'submitted', 'look_for_turn'],
    ['send_prompt', 1, 'accepted', 'look_for_turn'],
    ['send_prompt', 1, null, 'look_for_turn'],
  ] as const)('%s, handed out before under %s, its turn %s: %s', (...row) => {
    const [kind, before, delivery, decision] = row;
    expect(redeliveryOf({ kind, prior_epoch: before, turn_delivery: delivery }, isOwn)).toBe(decision);
  });
});
