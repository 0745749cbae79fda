import {
  SemoError,
  remoteSessions,
  type SessionManager,
  type TranscriptFinding,
  type TurnInfo,
} from '@semo-office/core';
import { FakeClock, createScriptedSessions, scriptedSpec } from '@semo-office/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { MortalLine, mortalTransport, serveMachine, type Death } from './delivery/mortal-host.ts';
import type { Machine } from './delivery/recorded-sessions.ts';
import { startProject, type OfficeOfProject, type Project } from './project.ts';

let project: Project;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  project = await startProject();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => project[Symbol.asyncDispose]());

const [sessionId, turnId] = ['ses_1', 'turn_1'];
const [PROMPT, WORK_MS] = ['work 1000: done', 1000];

/** Where in a prompt's way its host dies. */
const DEATHS = {
  claimed: { when: 'after', call: 'semo_claim_commands', says: 'send_prompt' },
  submitted: { when: 'after', call: 'semo_put_turn', says: '"submitted"' },
  taken: { when: 'before', call: 'semo_advance_turn', says: '"accepted"' },
  accepted: { when: 'after', call: 'semo_advance_turn', says: '"accepted"' },
  unanswered: { when: 'before', call: 'semo_complete_command', says: turnId },
  answered: { when: 'after', call: 'semo_complete_command', says: turnId },
  unended: { when: 'before', call: 'semo_advance_turn', says: '"ended"' },
  ended: { when: 'after', call: 'semo_advance_turn', says: '"ended"' },
} as const satisfies Record<string, Death>;

const FINDINGS = {
  unreadable: { kind: 'unreadable' },
  absent: { kind: 'absent' },
  unfinished: { kind: 'unfinished' },
  finished: { kind: 'finished', text: 'done' },
  /** The agents live on. */
  alive: { kind: 'unreadable' },
} as const satisfies Record<string, TranscriptFinding>;

/** Where the host dies; what is found of its agent; what `sendPrompt` comes to; what then is known of the turn; prompts given. */
const FATES: readonly (readonly [keyof typeof DEATHS, keyof typeof FINDINGS, string, string, number])[] = [
  ['claimed', 'unreadable', 'session_terminated', 'none', 0],
  ['claimed', 'alive', 'delivery_unknown', 'none', 0],
  ['submitted', 'unreadable', 'session_terminated', 'unknown delivery_unknown', 0],
  ['submitted', 'absent', 'session_terminated', 'failed prompt_not_accepted', 0],
  ['submitted', 'alive', 'unknown delivery_unknown', 'unknown delivery_unknown', 0],
  ['taken', 'unfinished', 'session_terminated', 'crashed agent_crashed', 1],
  ['taken', 'finished', 'session_terminated', 'completed', 1],
  ['taken', 'alive', 'running', 'running', 1],
  ['accepted', 'unreadable', 'session_terminated', 'unknown delivery_unknown', 1],
  ['accepted', 'absent', 'session_terminated', 'unknown delivery_unknown', 1],
  ['accepted', 'unfinished', 'session_terminated', 'crashed agent_crashed', 1],
  ['accepted', 'alive', 'running', 'running', 1],
  ['unanswered', 'unfinished', 'session_terminated', 'crashed agent_crashed', 1],
  ['unanswered', 'alive', 'running', 'running', 1],
  ['answered', 'unfinished', 'running', 'crashed agent_crashed', 1],
  ['answered', 'alive', 'running', 'running', 1],
  ['unended', 'finished', 'running', 'completed', 1],
  ['ended', 'unreadable', 'running', 'completed', 1],
];

function begin(): OfficeOfProject {
  const office = project.office({ realtime: false });
  closers.push(() => office.close());
  return office;
}

/** The machine as it is for the next life of its host. */
function afterwards(machine: Machine, found: keyof typeof FINDINGS): Machine {
  const agents = found === 'alive' ? machine.agents : createScriptedSessions();
  return { ...machine, agents, transcript: FINDINGS[found] };
}

/** A host whose process dies at that call. */
async function mortalHost({ officeId }: OfficeOfProject, death: Death, machine: Machine): Promise<MortalLine> {
  const line = new MortalLine(death);
  const transport = mortalTransport({ project, officeId, line }, 'h1');
  closers.push(() => {
    line.bury();
    return transport.close();
  });
  await serveMachine(await transport.host({ hostId: 'h1', capacity: 1 }), machine);
  return line;
}

/** A turn's outcome and its error, or the code of what was thrown. */
async function inShort(asked: Promise<TurnInfo | null>): Promise<string> {
  try {
    const state = (await asked)?.state;
    if (state?.kind !== 'ended') return state?.kind ?? 'none';
    return [state.outcome, ...(state.error === null ? [] : [state.error.code])].join(' ');
  } catch (thrown) {
    return SemoError.from(thrown).code;
  }
}

const send = (sessions: SessionManager): Promise<string> => inShort(sessions.sendPrompt(sessionId, PROMPT, { turnId }));

function newMachine(): { readonly machine: Machine; readonly clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, machine: { agents: createScriptedSessions({ clock }), given: [], transcript: FINDINGS.unreadable } };
}

describe('a prompt whose host is killed', () => {
  it.each(FATES)('when %s, its agent found %s: %s, then %s', async (...fate) => {
    const [death, found, told, turn, given] = fate;
    const office = begin();
    const { machine, clock } = newMachine();
    const line = await mortalHost(office, DEATHS[death], machine);
    const sessions = remoteSessions(office.server.office());
    await sessions.create(scriptedSpec(sessionId));
    const sending = send(sessions);
    if (death === 'unended' || death === 'ended') {
      await sending;
      clock.advance(WORK_MS);
    }
    await line.died;
    await serveMachine(await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 }), afterwards(machine, found));
    expect(await sending).toBe(told);
    expect(await inShort(sessions.getTurn(sessionId, turnId))).toBe(turn);
    // Asked for once more, by the same turn, it is sent once at most.
    await send(sessions);
    expect(machine.given).toHaveLength(given === 0 && told === 'delivery_unknown' ? 1 : given);
  });
});

describe('a prompt whose office is killed', () => {
  it.each([
    ['before', 'none', 0],
    ['after', 'running', 1],
  ] as const)('%s it is asked for: is found %s by the next one, and sent once', async (when, found, given) => {
    const office = begin();
    const { machine } = newMachine();
    const host = await office.hostSide('h1').host({ hostId: 'h1', capacity: 1 });
    await serveMachine(host, machine);
    const next = remoteSessions(office.server.office());
    await next.create(scriptedSpec(sessionId));
    const line = new MortalLine({ when, call: 'semo_enqueue_command', says: turnId });
    const transport = mortalTransport({ project, officeId: office.officeId, line });
    void send(remoteSessions(transport.office()));
    await line.died;
    await expect.poll(() => machine.given.length, { timeout: 10_000 }).toBe(given);
    expect(await inShort(next.getTurn(sessionId, turnId))).toBe(found);
    expect(await send(next)).toBe('running');
    expect(machine.given).toHaveLength(1);
    line.bury();
    await transport.close();
  });
});
