import {
  endingSchema,
  isSemoError,
  jobChangeSchema,
  jobFilterSchema,
  keptJobSpecSchema,
  claimRequestSchema,
  leaseRequestSchema,
  parseEdge,
  reopeningSchema,
  requestRecordSchema,
  SemoError,
  sessionRecordSchema,
  settledStateSchema,
  turnRecordSchema,
  turnStepSchema,
  type ErrorCode,
  type JobRecord,
  type JobStore,
  type RequestRecord,
  type RequestStore,
  type SessionRecord,
  type SessionStore,
  type TurnRecord,
} from '@semo-office/core';

import { storable } from '../../src/database/storable.ts';
import type { Client, Office } from './stage.ts';

/** Our functions' refusals as the library's errors, as whoever calls them over the API would translate them. */
async function translated<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (thrown) {
    if (isSemoError(thrown)) throw thrown;
    const { hint, message } = thrown as { readonly hint?: string; readonly message: string };
    throw new SemoError((hint ?? 'internal') as ErrorCode, message, { cause: thrown });
  }
}

/** The thinnest {@link JobStore} over our functions: what it does not do, they do. */
export function jobStoreOf({ member }: Office): JobStore {
  const call = async (name: string, args: Record<string, unknown>) =>
    (await translated(member.value(name, args))) as JobRecord;
  const held = (ref: { jobId: string; owner: string; fence: number }) => ({
    p_job_id: ref.jobId,
    p_owner: ref.owner,
    p_fence: ref.fence,
  });
  return {
    async put(job, lease) {
      const p_spec = parseEdge(keptJobSpecSchema, job, { what: 'job' });
      const { owner, leaseMs } = lease === undefined ? {} : parseEdge(leaseRequestSchema, lease, { what: 'lease' });
      return call('semo_put_job', { p_spec, p_owner: owner ?? null, p_lease_ms: leaseMs ?? null });
    },
    get: (jobId) => call('semo_get_job', { p_job_id: jobId }),
    async list(filter = {}) {
      const { state, agentId, reported, limit = 1000 } = parseEdge(jobFilterSchema, filter, { what: 'job filter' });
      const args = {
        p_states: state ?? null,
        p_agent_id: agentId ?? null,
        p_reported: reported ?? null,
        p_limit: Math.min(limit, 2 ** 31 - 1),
      };
      return (await member.value('semo_list_jobs', args)) as JobRecord[];
    },
    async claim(request) {
      const { owner, leaseMs, overdue = false } = parseEdge(claimRequestSchema, request, { what: 'lease' });
      return call('semo_claim_job', { p_owner: owner, p_lease_ms: leaseMs, p_overdue: overdue });
    },
    renew: (ref, leaseMs) => call('semo_renew_job', { ...held(ref), p_lease_ms: leaseMs }),
    async change(ref, change) {
      const p_change = storable(parseEdge(jobChangeSchema, change, { what: 'change of a job' }));
      return call('semo_change_job', { ...held(ref), p_change });
    },
    requestCancel: (jobId) => call('semo_cancel_job', { p_job_id: jobId }),
    async reopen(jobId, how) {
      return call('semo_reopen_job', { p_job_id: jobId, p_how: parseEdge(reopeningSchema, how, { what: 'way' }) });
    },
    async markReported(jobId, ending) {
      const p_ending = parseEdge(endingSchema, ending, { what: 'number of an end' });
      await call('semo_mark_job_reported', { p_job_id: jobId, p_ending });
    },
    async prune(endedBefore) {
      return (await member.value('semo_prune_jobs', { p_ended_before: endedBefore })) as number;
    },
    async close() {
      // Nothing is held.
    },
  };
}

/** The thinnest {@link SessionStore} over our functions, for a host. */
export function sessionStoreOf(host: Client): SessionStore {
  const turn = (sessionId: string, turnId: string) => ({ p_session_id: sessionId, p_turn_id: turnId });
  const records = async <Row>(text: string): Promise<Row[]> =>
    (await host.select(text)).map(({ record }) => record as Row);
  const sessions = (where: string) =>
    records<SessionRecord>(`select record from agent_sessions where ${where} order by created_ms, session_id`);
  const turns = (where: string) =>
    records<TurnRecord>(`select record from agent_turns where ${where} order by intent_ms, turn_id`);
  const open = (wanted: boolean | undefined) =>
    wanted === undefined ? '' : ` and ended_ms is ${wanted ? '' : 'not '}null`;
  const equal = (column: string, value: string | undefined) =>
    value === undefined ? '' : ` and ${column} = '${value}'`;
  return {
    async putSession(record) {
      await host.rows('semo_put_session', {
        p_record: storable(parseEdge(sessionRecordSchema, record, { what: 'session' })),
      });
    },
    getSession: async (id) => (await sessions(`session_id = '${id}'`))[0] ?? null,
    listSessions: ({ hostId, conversationId, open: wanted } = {}) =>
      sessions(`true${equal('record_host', hostId)}${equal('conversation_id', conversationId)}${open(wanted)}`),
    async putTurn(record) {
      await host.rows('semo_put_turn', { p_record: storable(parseEdge(turnRecordSchema, record, { what: 'turn' })) });
    },
    async advanceTurn(sessionId, turnId, step) {
      const p_step = storable(parseEdge(turnStepSchema, step, { what: 'step' }));
      return (await host.value('semo_advance_turn', { ...turn(sessionId, turnId), p_step })) as boolean;
    },
    async forgetTurn(sessionId, turnId) {
      await host.rows('semo_forget_turn', turn(sessionId, turnId));
    },
    getTurn: async (sessionId, turnId) =>
      (await turns(`session_id = '${sessionId}' and turn_id = '${turnId}'`))[0] ?? null,
    listTurns: ({ sessionId, open: wanted } = {}) => turns(`true${equal('session_id', sessionId)}${open(wanted)}`),
    async prune(endedBefore) {
      return (await host.value('semo_prune_sessions', { p_ended_before: endedBefore })) as number;
    },
  };
}

/** The thinnest {@link RequestStore} over our functions, for a host. */
export function requestStoreOf(host: Client): RequestStore {
  const list = async (where: string): Promise<RequestRecord[]> => {
    const rows = await host.select(`select record from agent_requests where ${where} order by asked_ms, request_id`);
    return rows.map(({ record }) => record as RequestRecord);
  };
  const equal = (column: string, value: string | undefined) =>
    value === undefined ? '' : ` and ${column} = '${value}'`;
  return {
    async put(record) {
      await host.rows('semo_put_request', {
        p_record: storable(parseEdge(requestRecordSchema, record, { what: 'request' })),
      });
    },
    get: async (id) => (await list(`request_id = '${id}'`))[0] ?? null,
    list: ({ state, sessionId, conversationId } = {}) =>
      list(`true${equal('state', state)}${equal('session_id', sessionId)}${equal('conversation_id', conversationId)}`),
    async settle(requestId, state) {
      const p_state = storable(parseEdge(settledStateSchema, state, { what: 'state' }));
      return (await host.value('semo_settle_request', { p_request_id: requestId, p_state })) as boolean;
    },
    async give(requestId, givenAt) {
      return (await host.value('semo_give_request', { p_request_id: requestId, p_given_at: givenAt })) as boolean;
    },
    async prune(settledBefore) {
      return (await host.value('semo_prune_requests', { p_settled_before: settledBefore })) as number;
    },
  };
}
