import type { Attributes, BatchObservableCallback, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';

import type { Office } from '../office-port.ts';
import type { BreakerState } from '../policy/circuit-breaker.ts';
import type { PoolCounts, PoolStatus } from '../pool/pool-status.ts';
import { sessionStatusSchema } from '../session/session.ts';
import type { SessionEvents, Unsubscribe } from '../session/session-manager.ts';
import { seconds, shownName } from './attributes.ts';

/** Readers keep the last figure of what is not told again: what is none is told as 0. */
const STATUSES = sessionStatusSchema.options.filter((status) => status !== 'terminated');
const WAITS = ['nothing', 'provider', 'host', 'backoff'] as const;
const BREAKER_STATES: readonly BreakerState[] = ['closed', 'open', 'half_open'];

/** What is so just now: asked of the office and its sessions each time metrics are read. */
export function gaugeOffice(meter: Meter, office: Office): Unsubscribe {
  const gauges = instruments(meter);
  const resources = new Map<string, SessionEvents['resources']>();
  const roles = new Set<string>();
  const unfollow = office.sessions.on('resources', (event) => void resources.set(event.sessionId, event));
  const read: BatchObservableCallback = async (result) => {
    await Promise.all(
      [
        // Who cannot be asked just now is not told of; the others are.
        tellStatus(result, { office, gauges, roles }),
        tellSessions(result, { office, gauges, resources }),
        office.sessions.listRequests().then(({ length }) => result.observe(gauges.requests, length)),
      ].map((asked) => asked.catch(() => undefined)),
    );
  };
  const all: Observable[] = Object.values(gauges);
  meter.addBatchObservableCallback(read, all);
  return () => {
    meter.removeBatchObservableCallback(read, all);
    unfollow();
  };
}

type Gauges = ReturnType<typeof instruments>;

async function tellStatus(
  result: BatchObservableResult,
  { office, gauges, roles }: { office: Office; gauges: Gauges; roles: Set<string> },
): Promise<void> {
  const { running, pool, breakers } = await office.status();
  for (const why of WAITS)
    result.observe(gauges.running, running.filter(({ wait }) => (wait?.for ?? 'nothing') === why).length, {
      'semo.wait.for': why,
    });
  for (const { name, state } of breakers)
    for (const each of BREAKER_STATES) {
      const told = { 'semo.breaker.name': name, 'semo.breaker.state': each };
      result.observe(gauges.breaker, Number(each === state), told);
    }
  tellPool(result, { pool, gauges, roles });
}

function tellPool(
  result: BatchObservableResult,
  { pool, gauges, roles }: { pool: PoolStatus; gauges: Gauges; roles: Set<string> },
): void {
  result.observe(gauges.max, pool.max);
  result.observe(gauges.oldestWait, seconds(pool.oldestWaitMs ?? 0));
  const sums = byRole(pool);
  for (const role of sums.keys()) roles.add(role);
  for (const role of roles) {
    const counts = sums.get(role) ?? NONE;
    const labels: Attributes = { 'semo.role': shownName(role) };
    result.observe(gauges.waiting, counts.waiting, labels);
    result.observe(gauges.target, counts.target, labels);
    for (const [state, count] of poolStates(counts))
      result.observe(gauges.pooled, count, { ...labels, 'semo.pool.state': state });
  }
  const { handedOut, opened, failed, recycled, reaped } = pool.totals;
  for (const [source, count] of Object.entries(handedOut))
    result.observe(gauges.handedOut, count, { 'semo.pool.source': source });
  for (const [event, count] of Object.entries({ opened, failed, recycled, reaped }))
    result.observe(gauges.poolEvents, count, { 'semo.pool.event': event });
}

async function tellSessions(
  result: BatchObservableResult,
  { office, gauges, resources }: { office: Office; gauges: Gauges; resources: Map<string, SessionEvents['resources']> },
): Promise<void> {
  const living = (await office.sessions.list()).filter(({ status }) => status !== 'terminated');
  for (const each of STATUSES)
    result.observe(gauges.sessions, living.filter(({ status }) => status === each).length, {
      'semo.session.status': each,
    });
  const ids = new Set(living.map(({ sessionId }) => sessionId));
  for (const [sessionId, { pssBytes, cpuMs, processes }] of resources) {
    const lives = ids.has(sessionId);
    if (!lives) resources.delete(sessionId);
    const labels = { 'semo.session.id': shownName(sessionId) };
    result.observe(gauges.memory, lives ? pssBytes : 0, labels);
    result.observe(gauges.cpu, lives ? seconds(cpuMs) : 0, labels);
    result.observe(gauges.processes, lives ? processes : 0, labels);
  }
}

function instruments(meter: Meter) {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(name, { unit, description });
  const total = (name: string, unit: string, description: string) =>
    meter.createObservableCounter(name, { unit, description });
  return {
    running: gauge('semo.job.running', '{job}', 'Jobs this process works on, by what they wait for'),
    sessions: gauge('semo.session.count', '{session}', 'Living sessions, by status'),
    memory: gauge('semo.session.memory', 'By', 'Main memory of all processes of a session (PSS)'),
    cpu: gauge('semo.session.cpu.time', 's', 'Processor time of the processes of a session that live'),
    processes: gauge('semo.session.processes', '{process}', 'Processes of a session'),
    requests: gauge('semo.request.open', '{request}', 'Requests that wait for a person'),
    pooled: gauge('semo.pool.sessions', '{session}', 'Sessions of the pool, by role and state'),
    waiting: gauge('semo.pool.waiting', '{request}', 'Attempts that wait for a session, by role'),
    target: gauge('semo.pool.target', '{session}', 'Sessions to be kept warm, by role'),
    max: gauge('semo.pool.max', '{session}', 'Sessions at once, at most'),
    oldestWait: gauge('semo.pool.oldest_wait', 's', 'How long the longest has been waiting for a session'),
    handedOut: total('semo.pool.handed_out', '{session}', 'Sessions handed out, by where they came from'),
    poolEvents: total('semo.pool.events', '{session}', 'Sessions opened, failed to open, recycled and reaped'),
    breaker: gauge('semo.breaker.state', '1', '1 for the state a circuit breaker is in, 0 for the others'),
  };
}

type RoleCounts = PoolCounts & { readonly target: number };

const NONE: RoleCounts = {
  opening: 0,
  warmIdle: 0,
  coldIdle: 0,
  inUse: 0,
  ending: 0,
  waiting: 0,
  target: 0,
};

/** Several keys may have one role, and a gauge takes one figure each. */
function byRole({ rows }: PoolStatus): Map<string, RoleCounts> {
  const sums = new Map<string, RoleCounts>();
  for (const row of rows) {
    const sum = sums.get(row.role) ?? NONE;
    const plus = (name: keyof RoleCounts): number => sum[name] + row[name];
    sums.set(row.role, {
      opening: plus('opening'),
      warmIdle: plus('warmIdle'),
      coldIdle: plus('coldIdle'),
      inUse: plus('inUse'),
      ending: plus('ending'),
      waiting: plus('waiting'),
      target: plus('target'),
    });
  }
  return sums;
}

function poolStates({ opening, warmIdle, coldIdle, inUse, ending }: PoolCounts): [string, number][] {
  return Object.entries({ opening, warm_idle: warmIdle, cold_idle: coldIdle, in_use: inUse, ending });
}
