import { newId } from '../src/ids.ts';
import type { SessionRecord, TurnRecord } from '../src/session/session-record.ts';
import { sessionSpecSchema } from '../src/session/session.ts';
import { keptSpec } from '../src/session/session-record.ts';
import type { TurnInfo } from '../src/session/turn.ts';

/** A session that is open, created at 1000. */
export function sessionRecord({ createdAt = 1000, ...more }: Partial<SessionRecord> & { createdAt?: number } = {}) {
  const { sessionId = newId('ses') } = more;
  const path = '/srv/한국어';
  const spec = sessionSpecSchema.parse({
    sessionId,
    agent: { kind: 'claude-stream', keepConversation: true },
    workspace: { kind: 'path', path },
    persona: { name: 'Mina', role: 'FE', prompt: 'Small steps. 🙂\n' },
    environment: { pass: ['LANG'], set: { TOKEN: 'secret', A: '1' } },
  });
  const record: SessionRecord = {
    sessionId,
    hostId: 'here',
    spec: keptSpec(spec),
    info: {
      sessionId,
      worktreeId: null,
      terminalId: '4711',
      status: 'ready',
      agent: { kind: 'claude-stream', version: '2.1.329' },
      workspace: { kind: 'path', path },
      persona: null,
      containment: {
        level: 'process_group',
        guarantees: {
          process: { kind: 'recognised', says: 'By parentage.' },
          files: { kind: 'user', says: 'All of the user.' },
          network: { kind: 'host', says: 'All of the host.' },
          credential: { kind: 'user', says: 'The one it was given.' },
        },
        recognisedBy: ['parentage'],
        mayEscape: [],
      },
      turnId: null,
      createdAt,
      lastActivityAt: createdAt,
      output: { start: 0, end: 0 },
      exit: null,
    },
    conversationId: null,
    transcripts: '/state/config/projects',
    endedAt: null,
    ...more,
  };
  return record;
}

/** A turn that is to be sent, since 1000. */
export function turnRecord({ intentAt = 1000, ...more }: Partial<TurnRecord> & { intentAt?: number } = {}) {
  const record: TurnRecord = {
    sessionId: newId('ses'),
    turnId: newId('turn'),
    conversationId: null,
    prompt: { digest: 'ab'.repeat(32), bytes: 12 },
    outputStart: 0,
    delivery: { kind: 'intent', intentAt },
    ...more,
  };
  return record;
}

/** How a turn ended. */
export function endedTurn({ sessionId, turnId }: TurnRecord, text = 'Done. 🙂\n'): TurnInfo {
  return {
    turnId,
    sessionId,
    state: {
      kind: 'ended',
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
      at: 4000,
      error: null,
    },
    acceptedAt: 3000,
    outputStart: 7,
    text,
    milestones: [],
    percent: null,
    evidence: [{ kind: 'agent_end', at: 4000, text, backgroundTasks: 0 }],
  };
}
