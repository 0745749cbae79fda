import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';

import { startChild, type Child } from './child.ts';
import { commandPlan } from './command-plan.ts';
import { FaultInjector } from './fault-injector.ts';
import type { FaultOptions } from './fault-options.ts';
import { faultPlan } from './fault-plan.ts';
import { faultReport, type FaultReport } from './fault-report.ts';
import { HostCrew } from './host-crew.ts';
import { LEDGER_SQL } from './ledger.ts';
import type { OfficeArguments, OfficeSummary, OfficeWord } from './office-main.ts';

/** An office that gets no answer for so long is stuck. */
const STUCK_MS = 180_000;

const MIGRATIONS = fileURLToPath(new URL('../../packages/transport-supabase/supabase/migrations', import.meta.url));
const officeId = 'faults';

/**
 * Has commands carried out on many hosts while something goes wrong every moment, and finds out what became of each.
 * @throws Error when nothing moves any more, or a process of the run ends by itself.
 * @example
 * const { wrong } = await faultRun(readFaultOptions('{"seed": 1}'));
 */
export async function faultRun(
  options: FaultOptions,
  tell: (line: string) => void = () => undefined,
): Promise<FaultReport> {
  await using supabase = await startSupabase();
  await supabase.applyMigrations(MIGRATIONS);
  await supabase.sql(LEDGER_SQL);
  await using crew = new HostCrew(await hostsOf(supabase, options));
  await crew.ready();
  const injector = new FaultInjector({ supabase, crew });
  const office = startOffice(supabase, options);
  await office.ready;
  const startedAt = performance.now();
  try {
    const ended = new AbortController();
    const summary = outcomeOf(office, tell).finally(() => ended.abort());
    const done = Promise.all([injectAll({ options, injector, tell, signal: ended.signal }), summary]);
    await Promise.race([done, injector.broken]);
    const durationMs = Math.round(performance.now() - startedAt);
    await injector.settled();
    const plans = commandPlan(options);
    return await faultReport(supabase, {
      options,
      plans,
      summary: await summary,
      faults: injector.done,
      durationMs,
    });
  } catch (error) {
    throw new Error([String(error), office.said(), ...crew.said()].join('\n'), { cause: error });
  } finally {
    await office.kill();
  }
}

async function hostsOf(supabase: LocalSupabase, { hosts, leaseMs }: FaultOptions) {
  const { url, publishableKey, postgres } = supabase;
  const ids = Array.from({ length: hosts }, (_, index) => `host-${index + 1}`);
  const ledger = postgres.url();
  return Promise.all(
    ids.map(async (hostId) => {
      const semo = { role: 'host', office_id: officeId, host_id: hostId };
      const exp = Math.floor(Date.now() / 1000) + 24 * 3600;
      const token = await supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo }, exp });
      return { hostId, officeId, url, key: publishableKey, token, ledger, leaseMs };
    }),
  );
}

function startOffice({ url, secretKey, postgres }: LocalSupabase, options: FaultOptions): Child {
  const argument: OfficeArguments = { options, officeId, url, key: secretKey, ledger: postgres.url() };
  return startChild('office-main.ts', argument);
}

/** Resolves with the office's last word. */
function outcomeOf(office: Child, tell: (line: string) => void): Promise<OfficeSummary> {
  return new Promise((resolve, reject) => {
    let answered = -1;
    let stuck = setTimeout(() => undefined, 0);
    office.process.on('exit', () => reject(new Error('The office has ended by itself.')));
    office.process.on('message', (word: OfficeWord) => {
      if (word.kind === 'done') {
        clearTimeout(stuck);
        return resolve(word.summary);
      }
      if (word.answered === answered) return;
      answered = word.answered;
      tell(`${answered} commands are answered; asked again: ${JSON.stringify(word.askedAgain)}`);
      clearTimeout(stuck);
      stuck = setTimeout(() => reject(new Error(`Nothing moves: ${answered} commands are answered.`)), STUCK_MS);
    });
  });
}

interface Injection {
  readonly options: FaultOptions;
  readonly injector: FaultInjector;
  readonly tell: (line: string) => void;
  /** Aborted when there is nothing left to disturb. */
  readonly signal: AbortSignal;
}

async function injectAll({ options, injector, tell, signal }: Injection): Promise<void> {
  const startedAt = performance.now();
  for (const fault of faultPlan(options)) {
    const waitMs = Math.max(fault.atMs - (performance.now() - startedAt), 0);
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    tell(`${fault.atMs} ms: ${fault.kind} for ${fault.forMs} ms, host ${fault.host}, seed ${fault.seed}`);
    injector.inject(fault);
  }
}
