import { expect, it } from 'vitest';

import { ClaudeDelivery } from '../../../../src/agent/claude/terminal/delivery.ts';

it('takes a prompt that the agent was given as it was sent, and keeps any other from the model', async () => {
  const delivery = new ClaudeDelivery();
  const { promise } = delivery.offer('Go on.');
  expect(delivery.onPrompt('xGo on.')).toMatchObject({ kind: 'blocked' });
  expect(await promise).toBe('garbled');
  const again = delivery.offer('Go on.');
  expect(delivery.onPrompt('Go on.')).toEqual({ kind: 'accepted', prompt: 'Go on.' });
  expect(await again.promise).toBe('accepted');
  expect(delivery.onPrompt('A person types.')).toEqual({ kind: 'not_ours' });
});

it('keeps what was taken back from the model, also when the next prompt is offered already, which goes on', async () => {
  const delivery = new ClaudeDelivery();
  delivery.offer('Wait.');
  delivery.withdraw();
  expect(delivery.isOffered).toBe(false);
  const { promise } = delivery.offer('Are you there?');
  expect(delivery.onPrompt('Wait.')).toMatchObject({ kind: 'blocked' });
  expect(delivery.isOffered).toBe(true);
  expect(delivery.onPrompt('Are you there?')).toMatchObject({ kind: 'accepted' });
  expect(await promise).toBe('accepted');
});

it('takes the same words when they are sent again: once they are what was taken back, then not any more', () => {
  const delivery = new ClaudeDelivery();
  delivery.offer('Wait.');
  delivery.withdraw();
  delivery.offer('Wait.');
  expect(delivery.onPrompt('Wait.')).toMatchObject({ kind: 'blocked' });
  expect(delivery.onPrompt('Wait.')).toMatchObject({ kind: 'accepted' });
});

it('forgets what was taken back with the next prompt that is taken', () => {
  const delivery = new ClaudeDelivery();
  delivery.offer('Wait.');
  delivery.withdraw();
  delivery.offer('Go on.');
  expect(delivery.onPrompt('Go on.')).toMatchObject({ kind: 'accepted' });
  delivery.offer('Wait.');
  expect(delivery.onPrompt('Wait.')).toMatchObject({ kind: 'accepted' });
});
