import {
  SemoError,
  assertNever,
  needsSandbox,
  type ContainmentLevel,
  type ResolvedContainmentSpec,
} from '@semo-office/core';

import type { ContainmentPolicy, ContainerOptions } from './containment-options.ts';
import type { Found, FoundTools } from './found-tools.ts';
import type { PidNamespaceTools } from './pid-namespace.ts';
import type { SandboxTools } from './sandbox.ts';

/** The level a session gets, with what it takes. */
export type ContainmentChoice =
  /** `reason`: why `best` is no more than that, in a sentence. */
  | { readonly level: 'process_group'; readonly reason?: string | undefined }
  | { readonly level: 'pid_namespace'; readonly tools: PidNamespaceTools }
  | { readonly level: 'sandbox'; readonly tools: SandboxTools }
  | { readonly level: 'container'; readonly container: ContainerOptions };

/** What is chosen by. */
export interface ChoiceFacts {
  readonly wish: ResolvedContainmentSpec;
  readonly policy: Pick<ContainmentPolicy, 'default' | 'allowed' | 'container'>;
  readonly found: FoundTools;
  /** Whether the agent shares its configuration with agents outside, who are known there by their process ids. */
  readonly sharesHome: boolean;
}

/**
 * The level of a session: the one that is asked for by name or none; for `best` the strongest that changes nothing for the
 * agent, or the sandbox where the wish takes one.
 *
 * @throws SemoError `containment_unavailable`, saying what would help; `invalid_argument`, `not_supported`.
 */
export function chooseContainment(facts: ChoiceFacts): ContainmentChoice {
  const { wish, policy } = facts;
  const asked = wish.level ?? (needsSandbox(wish) ? 'best' : policy.default);
  if (asked !== 'best') return demanded(asked, facts);
  if (needsSandbox(wish)) return demanded('sandbox', facts);
  const best = transparent(facts);
  if (best !== null) return best;
  // Of what is allowed nothing is transparent, or nothing is there: the strongest of it, or its refusal.
  const strongest = [...policy.allowed].sort((a, b) => strength(b) - strength(a))[0] ?? 'process_group';
  return demanded(strongest === 'container' && policy.allowed.includes('sandbox') ? 'sandbox' : strongest, facts);
}

/** The strongest level in which an agent sees the same files and network as without; `null`: the host allows none. */
function transparent(facts: ChoiceFacts): ContainmentChoice | null {
  const strong = look('pid_namespace', facts);
  if (strong.choice !== null && !facts.sharesHome) return strong.choice;
  const weak = look('process_group', facts).choice;
  return weak === null ? null : { level: 'process_group', reason: facts.sharesHome ? SHARED_HOME : strong.missing };
}

const SHARED_HOME = 'the agent shares its home with others, which know each other by their process ids.';

function demanded(level: ContainmentLevel, facts: ChoiceFacts): ContainmentChoice {
  const { choice, missing } = look(level, facts);
  if (choice === null) {
    const message = `This host cannot give the containment ${level}: ${missing}`;
    throw new SemoError('containment_unavailable', message, { details: { level } });
  }
  if (level === 'sandbox' && facts.sharesHome) {
    const message =
      'A sandbox cannot share the login of this machine. Take a token (`claude setup-token`) instead of useLogin.';
    throw new SemoError('not_supported', message);
  }
  return choice;
}

type Look =
  | { readonly choice: ContainmentChoice; readonly missing: '' }
  | { readonly choice: null; readonly missing: string };

function look(level: ContainmentLevel, { policy, found }: ChoiceFacts): Look {
  if (!policy.allowed.includes(level)) {
    return { choice: null, missing: `it allows only ${policy.allowed.join(', ')}. Ask for one of these, or for none.` };
  }
  switch (level) {
    case 'process_group':
      return { choice: { level }, missing: '' };
    case 'pid_namespace':
      return withTools(found.pidNamespace, (tools) => ({ level, tools }));
    case 'sandbox':
      return withTools(found.sandbox, (tools) => ({ level, tools }));
    case 'container': {
      const { container } = policy;
      if (container !== null) return { choice: { level, container }, missing: '' };
      return { choice: null, missing: 'it was given no command for containers (`containment.container.command`).' };
    }
    default:
      return assertNever(level);
  }
}

function withTools<Tools>(found: Found<Tools>, choose: (tools: Tools) => ContainmentChoice): Look {
  return 'tools' in found ? { choice: choose(found.tools), missing: '' } : { choice: null, missing: found.missing };
}

function strength(level: ContainmentLevel): number {
  return ['process_group', 'pid_namespace', 'sandbox', 'container'].indexOf(level);
}
