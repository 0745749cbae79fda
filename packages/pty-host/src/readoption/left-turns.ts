import { SemoError, type TurnRecord } from '@semo-office/core';

import type { LeftSession } from '../live-session-options.ts';
import type { HostMemory } from '../recovery/host-memory.ts';
import { LEAVES_AT_WORK } from '../prompt-delivery.ts';
import type { Notes } from './session-notes.ts';

/** tmux was handed longer prompts in pieces: of one that was not taken yet, a part may be in the terminal. */
const WHOLE_PROMPT_BYTES = 128 * 1024;

/** The turns of a session as a dead host has left them. */
export interface LeftTurns extends Pick<LeftSession, 'turnsBefore' | 'wasInterrupted'> {
  readonly turn: LeftSession['turn'];
  /** The record of that turn. */
  readonly running: TurnRecord | null;
  /** Prompts that waited for it: nothing of them has left their host. */
  readonly waiting: readonly TurnRecord[];
}

/**
 * Finds the turn that runs, by what was written down of it and by the notes; the one without the other is no turn.
 * @throws SemoError `delivery_unknown`: the agent may be at work on what nobody knows.
 */
export async function findLeftTurns({ facts }: HostMemory, notes: Notes, left: LeftPlace): Promise<LeftTurns> {
  const all = await facts.store.listTurns({ sessionId: left.sessionId });
  const open = all.filter(({ delivery }) => delivery.kind !== 'ended');
  const waiting = open.filter(({ delivery }) => delivery.kind === 'intent');
  const sent = open.filter(({ delivery }) => delivery.kind !== 'intent');
  const [running = null] = sent.filter(({ turnId }) => turnId === notes.turn?.turnId);
  if (sent.length > (running === null ? 0 : 1)) throw unclear('A prompt was sent to it that nothing is noted of.');
  const turn = running === null ? null : leftTurn(running, notes, left);
  const turnsBefore = notes.turns - (turn === null ? 0 : 1);
  return { turn, running, waiting, turnsBefore, wasInterrupted: wasInterrupted(all) };
}

/** Where to look. */
export interface LeftPlace {
  readonly sessionId: string;
  /** Offset of the oldest byte of output that is still kept. */
  readonly outputStart: number;
}

function leftTurn({ delivery }: TurnRecord, { turn }: Notes, { outputStart: keptFrom }: LeftPlace): LeftTurns['turn'] {
  if (turn === null || delivery.kind === 'intent' || delivery.kind === 'ended') return null;
  const acceptedAt = delivery.kind === 'accepted' ? delivery.acceptedAt : null;
  if (acceptedAt === null && Buffer.byteLength(turn.prompt) > WHOLE_PROMPT_BYTES)
    throw unclear('A long prompt was on its way to it, of which a part may have arrived.');
  const submittedAt = delivery.submittedAt ?? delivery.intentAt;
  return { ...turn, outputKept: turn.sentAt >= keptFrom, submittedAt, acceptedAt };
}

/** Whether the agent may still be at work on a turn that we have ended. */
function wasInterrupted(all: readonly TurnRecord[]): boolean {
  const ends = all.flatMap(({ delivery }) => (delivery.kind === 'ended' ? [delivery] : []));
  const state = ends.toSorted((left, right) => left.endedAt - right.endedAt).at(-1)?.turn.state;
  return state?.kind === 'ended' && LEAVES_AT_WORK.has(state.decidedBy);
}

function unclear(why: string): SemoError {
  return new SemoError('delivery_unknown', why);
}
