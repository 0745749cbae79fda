import type { OpenDelivery, TranscriptFinding } from '../../src/index.ts';

/** A moment at which somebody is killed, and what is found afterwards. */
export type CrashPoint = {
  readonly killed: 'office' | 'host' | 'machine' | 'agent';
  readonly when: string;
} & (
  | {
      /** What the host has written, and what the agent's transcript may say; decided by `settleDelivery`. */
      readonly recorded: OpenDelivery;
      readonly transcripts: readonly TranscriptFinding['kind'][];
    }
  /** There is nothing to settle. */
  | { readonly found: string; readonly next: string }
);

const NOT_THERE = ['unreadable', 'absent'] as const;
const AT_WORK = ['unfinished'] as const;
const OVER = ['finished', 'failed'] as const;

/** Every moment on the way of a prompt at which somebody can be killed. */
export const CRASH_POINTS: readonly CrashPoint[] = [
  {
    killed: 'office',
    when: 'before it has told the host of the prompt',
    found: '`turn_unknown`: the host never heard of it',
    next: 'send it, with the same turn id',
  },
  {
    killed: 'office',
    when: 'at any time after that',
    found: 'the turn, as the host has it: the host goes on alone',
    next: 'wait for the turn; sending it again with the same turn id sends nothing',
  },
  {
    killed: 'host',
    when: 'before it has written `intent`',
    found: '`turn_unknown`: nothing was written, and nothing sent',
    next: 'send it again',
  },
  { killed: 'host', when: 'between `intent` and `submitted`', recorded: 'intent', transcripts: NOT_THERE },
  {
    killed: 'host',
    when: 'after `submitted`, before the agent has the prompt',
    recorded: 'submitted',
    transcripts: NOT_THERE,
  },
  {
    killed: 'host',
    when: 'after the agent has the prompt, before `accepted` is written',
    recorded: 'submitted',
    transcripts: [...AT_WORK, ...OVER],
  },
  {
    killed: 'host',
    when: 'after `accepted`, the agent killed with it before its transcript has the prompt',
    recorded: 'accepted',
    transcripts: NOT_THERE,
  },
  { killed: 'host', when: 'after `accepted`, while the agent works', recorded: 'accepted', transcripts: AT_WORK },
  {
    killed: 'host',
    when: 'after the agent has ended the turn, before `ended` is written',
    recorded: 'accepted',
    transcripts: OVER,
  },
  {
    killed: 'host',
    when: 'after `ended`',
    found: 'the verdict that was written',
    next: 'what any verdict asks for',
  },
  { killed: 'machine', when: 'after `intent`', recorded: 'intent', transcripts: NOT_THERE },
  {
    killed: 'machine',
    when: 'after `submitted`',
    recorded: 'submitted',
    transcripts: [...NOT_THERE, ...AT_WORK, ...OVER],
  },
  {
    killed: 'machine',
    when: 'after `accepted`',
    recorded: 'accepted',
    transcripts: [...NOT_THERE, ...AT_WORK, ...OVER],
  },
  {
    killed: 'agent',
    when: 'before it has taken the prompt',
    found: '`agent_crashed`, thrown by `sendPrompt`: the host lives and saw it',
    next: 'a new session, and the prompt once more',
  },
  {
    killed: 'agent',
    when: 'after it has taken the prompt',
    found: 'crashed / `agent_crashed`: the host lives and saw it',
    next: 'resume the conversation',
  },
];
