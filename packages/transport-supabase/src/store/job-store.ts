import {
  claimRequestSchema,
  endingSchema,
  jobChangeSchema,
  jobFilterSchema,
  jobRecordSchema,
  keptJobSpecSchema,
  leaseRequestSchema,
  parseEdge,
  reopeningSchema,
  type JobRecord,
  type JobStore,
  type LeaseRef,
} from '@semo-office/core';
import { z } from 'zod';

import { toJson } from '../command/command-repository.ts';
import type { DatabaseDoor } from '../database/database-door.ts';
import { rowsOf, valueOf } from '../database/rows.ts';
import { storable } from '../database/storable.ts';
import { asStore } from './store-errors.ts';

/** The greatest `integer` of the database, which is how it takes a number of rows. It keeps fewer. */
const MOST_ROWS = 2 ** 31 - 1;
/** So many jobs are forgotten by one call. */
const PRUNE_ROWS = 10_000;

const recordOf = (data: unknown): JobRecord => valueOf(jobRecordSchema, data, 'job');

const orNull = (data: unknown): JobRecord | null => (data === null ? null : recordOf(data));

/** The jobs of an office in its tables; time is the database's own. */
export function supabaseJobStore(apiDoor: DatabaseDoor, officeId: string): JobStore {
  const door = asStore(apiDoor);
  return {
    ...leasing(door, officeId),
    ...looking(door, officeId),
    ...deciding(door, officeId),
    async close() {
      // Nothing is held: the client belongs to the transport.
    },
  };
}

/** Keeping jobs, and what is done under a lease. */
function leasing(door: DatabaseDoor, p_office_id: string): Pick<JobStore, 'put' | 'claim' | 'renew' | 'change'> {
  const held = ({ jobId, owner, fence }: LeaseRef) => ({
    p_office_id,
    p_job_id: jobId,
    p_owner: owner,
    p_fence: fence,
  });
  return {
    async put(job, lease) {
      const p_spec = toJson(parseEdge(keptJobSpecSchema, job, { what: 'job' }));
      const asked = lease === undefined ? null : parseEdge(leaseRequestSchema, lease, { what: 'lease' });
      const claim = asked === null ? {} : { p_owner: asked.owner, p_lease_ms: asked.leaseMs };
      return recordOf(await door.call('semo_put_job', { p_office_id, p_spec, ...claim }));
    },
    async claim(request) {
      const { owner, leaseMs, overdue = false } = parseEdge(claimRequestSchema, request, { what: 'lease' });
      const asked = { p_owner: owner, p_lease_ms: leaseMs, ...(overdue && { p_overdue: true }) };
      return orNull(await door.call('semo_claim_job', { p_office_id, ...asked }));
    },
    async renew(lease, leaseMs) {
      return recordOf(await door.call('semo_renew_job', { ...held(lease), p_lease_ms: leaseMs }));
    },
    async change(lease, change) {
      // What agents have said: nobody could leave it out, and the job would never end.
      const p_change = storable(parseEdge(jobChangeSchema, change, { what: 'change of a job' }));
      return recordOf(await door.call('semo_change_job', { ...held(lease), p_change }));
    },
  };
}

function looking(door: DatabaseDoor, p_office_id: string): Pick<JobStore, 'get' | 'list'> {
  return {
    async get(jobId) {
      return orNull(await door.call('semo_get_job', { p_office_id, p_job_id: jobId }));
    },
    async list(filter = {}) {
      const { state, agentId, reported, limit = 1000 } = parseEdge(jobFilterSchema, filter, { what: 'job filter' });
      const jobs = await door.call('semo_list_jobs', {
        p_office_id,
        ...(state === undefined ? {} : { p_states: [...state] }),
        ...(agentId === undefined ? {} : { p_agent_id: agentId }),
        ...(reported === undefined ? {} : { p_reported: reported }),
        p_limit: Math.min(limit, MOST_ROWS),
      });
      return rowsOf(jobRecordSchema, jobs, 'jobs');
    },
  };
}

/** What is decided about jobs without a lease. */
function deciding(
  door: DatabaseDoor,
  p_office_id: string,
): Pick<JobStore, 'requestCancel' | 'reopen' | 'markReported' | 'prune'> {
  return {
    async requestCancel(jobId) {
      return recordOf(await door.call('semo_cancel_job', { p_office_id, p_job_id: jobId }));
    },
    async reopen(jobId, how) {
      const p_how = parseEdge(reopeningSchema, how, { what: 'way' });
      return recordOf(await door.call('semo_reopen_job', { p_office_id, p_job_id: jobId, p_how }));
    },
    async markReported(jobId, ending) {
      const p_ending = parseEdge(endingSchema, ending, { what: 'number of an end' });
      await door.call('semo_mark_job_reported', { p_office_id, p_job_id: jobId, p_ending });
    },
    async prune(endedBefore) {
      let pruned = 0;
      for (;;) {
        const args = { p_office_id, p_ended_before: endedBefore, p_limit: PRUNE_ROWS };
        const some = valueOf(z.number(), await door.call('semo_prune_jobs', args), 'number of jobs');
        pruned += some;
        if (some < PRUNE_ROWS) return pruned;
      }
    },
  };
}
