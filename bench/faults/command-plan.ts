import type { Command } from '@semo-office/core';

import { numbersFrom } from '../seeded-numbers.ts';
import type { FaultOptions } from './fault-options.ts';

/** What is asked of a session at a time. */
export type PlannedStep =
  /** Asked for one right after the other, without waiting for answers. */
  | { readonly kind: 'burst'; readonly commands: readonly Command[] }
  /** A turn that goes on until its cancel overtakes it. */
  | { readonly kind: 'cancelled_turn'; readonly turn: Command; readonly cancel: Command };

/** All that is asked of one session, step by step. */
export interface SessionPlan {
  readonly sessionId: string;
  readonly create: Command;
  readonly steps: readonly PlannedStep[];
}

const LONGEST_BURST = 4;
const CANCELLED_SHARE = 0.1;
const CONTROL_SHARE = 0.3;
const [LONG, CANCEL] = ['-long', '-cancel'];

/** The commands of a run, in both lanes; the same seed gives the same ones. Pure. */
export function commandPlan({ commands, sessions, seed }: FaultOptions): SessionPlan[] {
  const random = numbersFrom(seed + 1_000_003);
  return Array.from({ length: sessions }, (_, index) => {
    const sessionId = `ses_${String(index + 1).padStart(4, '0')}`;
    // What is left over is for the first ones.
    const count = Math.floor(commands / sessions) + (index < commands % sessions ? 1 : 0);
    return { sessionId, create: createCommand(sessionId), steps: stepsOf(sessionId, count, random) };
  });
}

/** The commands of a plan beside those that make its sessions. */
export function commandsOf(plans: readonly SessionPlan[]): Command[] {
  return plans.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === 'burst' ? step.commands : [step.turn, step.cancel])),
  );
}

/** The cancel that a turn waits for; `null`: it ends by itself. Pure. */
export function cancelOf(commandId: string): string | null {
  return commandId.endsWith(LONG) ? `${commandId.slice(0, -LONG.length)}${CANCEL}` : null;
}

function stepsOf(sessionId: string, count: number, random: () => number): PlannedStep[] {
  const steps: PlannedStep[] = [];
  let next = 1;
  const idOf = (number: number, name: string): string => `${sessionId}-${String(number).padStart(3, '0')}${name}`;
  while (next <= count) {
    const left = count - next + 1;
    if (left >= 2 && random() < CANCELLED_SHARE) {
      const turn: Command = { commandId: idOf(next, LONG), body: { kind: 'reset', sessionId } };
      const cancel: Command = { commandId: idOf(next, CANCEL), body: { kind: 'cancel', sessionId } };
      steps.push({ kind: 'cancelled_turn', turn, cancel });
      next += 2;
      continue;
    }
    const size = Math.min(left, 1 + Math.floor(random() * LONGEST_BURST));
    const from = next;
    const commands = Array.from({ length: size }, (_, index): Command => {
      const commandId = idOf(from + index, '');
      return random() < CONTROL_SHARE
        ? { commandId, body: { kind: 'resize', sessionId, size: { cols: 80, rows: 24 } } }
        : { commandId, body: { kind: 'reset', sessionId } };
    });
    steps.push({ kind: 'burst', commands });
    next += size;
  }
  return steps;
}

function createCommand(sessionId: string): Command {
  const agent = { kind: 'command', command: ['none'] } as const;
  const workspace = { kind: 'path', path: '/none' } as const;
  return {
    commandId: `${sessionId}-create`,
    body: { kind: 'create_session', sessionId, spec: { sessionId, agent, workspace } },
  };
}
