import {
  DEFAULT_JOB_LIMIT,
  cancelledJob,
  changedJob,
  claimRequestSchema,
  claimedJob,
  endingSchema,
  jobChangeSchema,
  jobFilterSchema,
  keptJobSpecSchema,
  leaseRequestSchema,
  lostLease,
  newJobRecord,
  renewedJob,
  reopenedJob,
  reopeningSchema,
  reportedJob,
  samePutAgain,
  unknownJob,
  type JobRecord,
  type LeaseRef,
} from '@semo-office/core';
import { z } from 'zod';

import type { StoreFile } from '../file/store-file.ts';
import { at, operation } from '../operation.ts';
import { JobRows } from './job-rows.ts';

const leaseRefSchema = z.object({ jobId: z.string(), owner: z.string(), fence: z.number() });
const jobSchema = z.object({ jobId: z.string() });
const putSchema = z.object({ job: keptJobSpecSchema, lease: leaseRequestSchema.optional(), at });
const claimSchema = claimRequestSchema.extend({ at });
const renewSchema = z.object({ ref: leaseRefSchema, leaseMs: leaseRequestSchema.shape.leaseMs, at });
const changeSchema = z.object({ ref: leaseRefSchema, change: jobChangeSchema, at });
const cancelSchema = jobSchema.extend({ at });
const reportSchema = jobSchema.extend({ ending: endingSchema });
const reopenSchema = z.object({ jobId: z.string(), how: reopeningSchema, at });

/** What a store does with jobs. Core decides what becomes of a record; here it is read before and written after. */
export function jobOperations(file: StoreFile) {
  const rows = new JobRows(file);
  return { ...keepingOperations(file, rows), ...holdingOperations(file, rows), ...endingOperations(file, rows) };
}

function keepingOperations(file: StoreFile, rows: JobRows) {
  return {
    putJob: operation({ what: 'job', of: putSchema }, ({ job, lease, at }) =>
      file.write(() => {
        const kept = rows.get(job.jobId);
        return kept === null ? rows.add(newJobRecord(job, { at, lease })) : samePutAgain(kept, job);
      }),
    ),
    getJob: operation({ what: 'job id', of: jobSchema }, ({ jobId }) => rows.get(jobId)),
    listJobs: operation({ what: 'job filter', of: jobFilterSchema }, ({ limit = DEFAULT_JOB_LIMIT, ...filter }) =>
      rows.list({ ...filter, limit }),
    ),
    pruneJobs: operation({ what: 'moment', of: z.object({ endedBefore: at }) }, ({ endedBefore }) =>
      file.write(() => rows.prune(endedBefore)),
    ),
  };
}

/** What needs a lease. */
function holdingOperations(file: StoreFile, rows: JobRows) {
  const write = (ref: LeaseRef, next: (record: JobRecord) => JobRecord): JobRecord =>
    file.write(() => {
      const record = rows.get(ref.jobId);
      if (record === null) throw lostLease(ref, null);
      return rows.replace(record, next(record));
    });
  return {
    claimJob: operation({ what: 'lease', of: claimSchema }, ({ at, overdue = false, ...lease }) =>
      file.write(() => {
        const next = rows.nextClaim({ at, overdue });
        return next === null ? null : rows.replace(next, claimedJob(next, { ...lease, at }));
      }),
    ),
    renewJob: operation({ what: 'lease', of: renewSchema }, ({ ref, leaseMs, at }) =>
      write(ref, (record) => renewedJob(record, ref, { leaseMs, at })),
    ),
    changeJob: operation({ what: 'change of a job', of: changeSchema }, ({ ref, change, at }) =>
      write(ref, (record) => changedJob(record, ref, { change, at })),
    ),
  };
}

/** What anybody may ask for. */
function endingOperations(file: StoreFile, rows: JobRows) {
  const write = (jobId: string, next: (record: JobRecord) => JobRecord): JobRecord =>
    file.write(() => {
      const record = rows.get(jobId);
      if (record === null) throw unknownJob(jobId);
      return rows.replace(record, next(record));
    });
  return {
    cancelJob: operation({ what: 'job id', of: cancelSchema }, ({ jobId, at }) =>
      write(jobId, (record) => cancelledJob(record, at)),
    ),
    reopenJob: operation({ what: 'way to reopen a job', of: reopenSchema }, ({ jobId, how, at }) =>
      write(jobId, (record) => reopenedJob(record, how, at)),
    ),
    markJobReported: operation({ what: 'end of a job', of: reportSchema }, ({ jobId, ending }) => {
      write(jobId, (record) => reportedJob(record, ending));
    }),
  };
}
