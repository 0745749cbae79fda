import { CONTAINMENT_LEVELS, containmentSpecSchema, type ContainmentSpec } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { chooseContainment, type ChoiceFacts } from '../../src/containment/containment-choice.ts';
import type { FoundTools } from '../../src/containment/found-tools.ts';

const shield = { bash: '/bin/bash', env: '/usr/bin/env' };
const ALL: FoundTools = {
  pidNamespace: { tools: { ...shield, unshare: '/usr/bin/unshare', userNamespace: false } },
  sandbox: { tools: { ...shield, bwrap: '/usr/bin/bwrap' } },
};
const NONE: FoundTools = {
  pidNamespace: { missing: 'install util-linux.' },
  sandbox: { missing: 'install bubblewrap.' },
};
const container = { command: ['docker', 'run'] };

function choose(spec: ContainmentSpec, { policy = {}, ...more }: DeepPartial = {}): string {
  return chooseContainment({
    wish: containmentSpecSchema.parse(spec),
    found: ALL,
    sharesHome: false,
    ...more,
    policy: { default: 'best', allowed: CONTAINMENT_LEVELS, container: null, ...policy },
  }).level;
}

type DeepPartial = Partial<Omit<ChoiceFacts, 'policy' | 'wish'>> & { policy?: Partial<ChoiceFacts['policy']> };

describe('the level that is chosen', () => {
  it.each<[string, ContainmentSpec, DeepPartial, string]>([
    ['the best that changes nothing', {}, {}, 'pid_namespace'],
    ['less where there is no more', { level: 'best' }, { found: NONE }, 'process_group'],
    ['less where other agents know it by its process id', {}, { sharesHome: true }, 'process_group'],
    ['what is asked for all the same', { level: 'pid_namespace' }, { sharesHome: true }, 'pid_namespace'],
    ['what the host says', {}, { policy: { default: 'sandbox' } }, 'sandbox'],
    [
      'what is asked for, whatever the host’s default',
      { level: 'process_group' },
      { policy: { default: 'sandbox' } },
      'process_group',
    ],
    ['the sandbox where only that keeps the wish', { network: 'none' }, {}, 'sandbox'],
    [
      'the sandbox for a wish, whatever the host’s default',
      { readable: ['/srv'] },
      { policy: { default: 'process_group' } },
      'sandbox',
    ],
    ['the only one that is allowed', {}, { policy: { allowed: ['sandbox'] } }, 'sandbox'],
    ['a sandbox before a container', {}, { policy: { allowed: ['container', 'sandbox'], container } }, 'sandbox'],
    ['a container where asked for', { level: 'container' }, { policy: { container } }, 'container'],
  ])('is %s', (...[, spec, more, level]) => {
    expect(choose(spec, more)).toBe(level);
  });

  it.each<[string, ContainmentSpec, DeepPartial, string]>([
    ['no tools', { level: 'sandbox' }, { found: NONE }, 'install bubblewrap'],
    [
      'no tools for the only one allowed',
      {},
      { found: NONE, policy: { allowed: ['pid_namespace'] } },
      'install util-linux',
    ],
    [
      'a level that is forbidden',
      { level: 'process_group' },
      { policy: { allowed: ['sandbox'] } },
      'it allows only sandbox',
    ],
    ['no command for containers', { level: 'container' }, {}, 'no command'],
    ['a wish that nothing keeps', { network: 'none' }, { found: NONE }, 'install bubblewrap'],
  ])('is refused with what would help: %s', (...[, spec, more, words]) => {
    expect(() => choose(spec, more)).toThrow(expect.objectContaining({ code: 'containment_unavailable' }));
    expect(() => choose(spec, more)).toThrow(words);
  });

  it('is no sandbox around a home that others use at the same time', () => {
    expect(() => choose({ level: 'sandbox' }, { sharesHome: true })).toThrow(
      expect.objectContaining({ code: 'not_supported' }),
    );
  });
});
