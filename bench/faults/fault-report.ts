import type { LocalSupabase } from '@semo-office/testbed/supabase';

import { cancelOf, commandsOf, type SessionPlan } from './command-plan.ts';
import type { FaultOptions } from './fault-options.ts';
import type { OfficeSummary } from './office-main.ts';

/** What came of a run. */
export interface FaultReport extends Omit<FaultOptions, 'faults'> {
  readonly durationMs: number;
  readonly commandsPerSecond: number;
  /** How often each kind of fault has happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** Commands without an answer of success, or without their effect. */
  readonly lost: number;
  /** Effects beyond one for each command. */
  readonly duplicates: number;
  /** Carryings-out that came too late or too early in their lane. */
  readonly orderViolations: number;
  readonly cancels: { readonly asked: number; readonly overtook: number };
  /** Carryings-out beyond the first: legal, and what the effects must stand. */
  readonly repeats: number;
  readonly office: Omit<OfficeSummary, 'wrong'>;
  /** What must not be. Empty: all is well. */
  readonly wrong: readonly string[];
}

/** What is known once the office is done. */
export interface FaultFindings {
  readonly options: FaultOptions;
  readonly plans: readonly SessionPlan[];
  readonly summary: OfficeSummary;
  readonly faults: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

/** So many of one sort are told in full. */
const TOLD = 20;

const UNORDERED = `
  with begun as (
    select c.id, c.command_id, a.session_id, a.lane, a.seq,
      max(a.seq) over (partition by a.session_id, a.lane order by c.id rows between unbounded preceding and 1 preceding) as before
    from ledger.carryings c join public.agent_commands a using (command_id) where c.step = 'begun'
  )
  select format('%s (%s %s) was begun after number %s of its lane', command_id, lane, seq, before) as fault
  from begun where seq < before`;

const OVERLAPPING = `
  with ordered as (
    select command_id, lag(command_id) over (partition by session_id, lane order by seq) as before
    from public.agent_commands where kind <> 'create_session'
  )
  select format('%s was begun before %s of its lane was done', o.command_id, o.before) as fault
  from ordered o
  where o.before is not null
    and (select min(id) from ledger.carryings c where c.command_id = o.command_id and step = 'begun')
      < (select min(id) from ledger.carryings c where c.command_id = o.before and step = 'ended')`;

const OVERTAKEN = `
  select turn.command_id from ledger.carryings turn
  join ledger.carryings cancel on cancel.command_id = replace(turn.command_id, '-long', '-cancel') and cancel.step = 'begun'
  where turn.step in ('begun', 'ended') and turn.command_id like '%-long'
  group by turn.command_id
  having min(turn.id) filter (where turn.step = 'begun') < min(cancel.id)
    and min(cancel.id) < min(turn.id) filter (where turn.step = 'ended')`;

const UNANSWERED = `
  select format('%s is %s by the table: %s', command_id, status, last_error) as fault
  from public.agent_commands where status <> 'completed'`;

/** Compares what was asked and answered with what the hosts have written down. */
export async function faultReport(
  { sql }: Pick<LocalSupabase, 'sql'>,
  { options, plans, summary, faults, durationMs }: FaultFindings,
): Promise<FaultReport> {
  const asked = commandsOf(plans).map(({ commandId }) => commandId);
  const cancels = asked.filter((commandId) => cancelOf(commandId) !== null).length;
  const done = new Set((await sql('select command_id from ledger.effects')).map((row) => String(row['command_id'])));
  const ineffective = asked.filter((commandId) => !done.has(commandId));
  const told = async (query: string): Promise<string[]> => (await sql(query)).map((row) => String(row['fault']));
  const numberOf = async (query: string): Promise<number> => Number((await sql(query))[0]?.['number']);
  const unanswered = await told(UNANSWERED);
  const disorder = [...(await told(UNORDERED)), ...(await told(OVERLAPPING))];
  const duplicates = (await numberOf('select coalesce(sum(effects), 0) as number from ledger.sums')) - done.size;
  const begun = await numberOf(`select count(*) as number from ledger.carryings where step = 'begun'`);
  const overtook = (await sql(OVERTAKEN)).length;
  const { wrong, ...office } = summary;
  const lost = new Set([...ineffective, ...[...wrong, ...unanswered].map((line) => line.split(/[: ]/)[0])]).size;
  return {
    ...options,
    durationMs,
    commandsPerSecond: Math.round((asked.length / durationMs) * 10_000) / 10,
    faults,
    lost,
    duplicates,
    orderViolations: disorder.length,
    cancels: { asked: cancels, overtook },
    repeats: begun - done.size,
    office,
    wrong: [
      ...wrong.slice(0, TOLD),
      ...ineffective.slice(0, TOLD).map((commandId) => `${commandId} has had no effect`),
      ...unanswered.slice(0, TOLD),
      ...disorder.slice(0, TOLD),
      ...(duplicates === 0 ? [] : [`${duplicates} effects were counted twice`]),
      ...(done.size === asked.length ? [] : [`${done.size} effects of ${asked.length} commands`]),
      ...(overtook === cancels ? [] : [`${overtook} of ${cancels} cancels overtook their turn`]),
    ],
  };
}
