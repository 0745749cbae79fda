// The office of a run: `node office-main.ts '{"options": …, …}'`. Asks for every command of the plan until it has a definite answer.
import { setTimeout as pause } from 'node:timers/promises';
import { SemoError, type Command, type OfficeLink } from '@semo-office/core';
import { createSupabaseTransport, type SupabaseTransport } from '@semo-office/transport-supabase';

import { commandPlan, type PlannedStep, type SessionPlan } from './command-plan.ts';
import { faultTimes, type FaultOptions } from './fault-options.ts';
import { Ledger } from './ledger.ts';

/** What the process is told by its one argument. */
export interface OfficeArguments {
  readonly options: FaultOptions;
  readonly officeId: string;
  readonly url: string;
  readonly key: string;
  readonly ledger: string;
}

/** What the process tells. */
export type OfficeWord =
  | { readonly kind: 'progress'; readonly answered: number; readonly askedAgain: Readonly<Record<string, number>> }
  | { readonly kind: 'done'; readonly summary: OfficeSummary };

/** What has become of the commands, as the office sees it. */
export interface OfficeSummary {
  readonly answered: number;
  /** Commands whose definite answer is not the right one, and what it is. */
  readonly wrong: readonly string[];
  /** How often a command was asked for once more, with the same id, by why. */
  readonly askedAgain: Readonly<Record<string, number>>;
  /** How often a dead command was handed out again. */
  readonly requeued: number;
  /** What the transport told of as a problem, by code. */
  readonly problems: Readonly<Record<string, number>>;
}

const AGAIN_MS = 250;
const PROGRESS_MS = 1000;

class FaultOffice {
  readonly #transport: SupabaseTransport;
  readonly #link: OfficeLink;
  readonly #ledger: Ledger;
  readonly #paceMs: number;
  readonly #atOnce: number;
  readonly #wrong: string[] = [];
  readonly #askedAgain: Record<string, number> = {};
  readonly #problems: Record<string, number> = {};
  #answered = 0;
  #requeued = 0;

  constructor({ options, officeId, url, key, ledger }: OfficeArguments) {
    this.#ledger = new Ledger(ledger);
    this.#paceMs = options.paceMs;
    this.#atOnce = options.atOnce;
    const onProblem = ({ code }: SemoError): void => count(this.#problems, code);
    this.#transport = createSupabaseTransport({ url, key, officeId, onProblem, times: faultTimes(options.leaseMs) });
    this.#link = this.#transport.office();
  }

  async run(plans: readonly SessionPlan[]): Promise<OfficeSummary> {
    const progress = (): void => say({ kind: 'progress', answered: this.#answered, askedAgain: this.#askedAgain });
    progress();
    const tell = setInterval(progress, PROGRESS_MS);
    const waiting = [...plans];
    const lane = async (): Promise<void> => {
      for (let plan = waiting.shift(); plan !== undefined; plan = waiting.shift()) await this.#session(plan);
    };
    await Promise.all(Array.from({ length: this.#atOnce }, lane));
    clearInterval(tell);
    return {
      answered: this.#answered,
      wrong: this.#wrong,
      askedAgain: this.#askedAgain,
      requeued: this.#requeued,
      problems: this.#problems,
    };
  }

  async #session({ create, steps }: SessionPlan): Promise<void> {
    await this.#ask(create);
    for (const step of steps) {
      await Promise.all([this.#step(step), pause(this.#paceMs)]);
    }
  }

  async #step(step: PlannedStep): Promise<void> {
    if (step.kind === 'burst') {
      await Promise.all(step.commands.map((command) => this.#ask(command)));
      return;
    }
    const turn = this.#ask(step.turn);
    while (!(await this.#ledger.hasBegun(step.turn.commandId))) await pause(AGAIN_MS);
    await this.#ask(step.cancel);
    await turn;
  }

  async #ask(command: Command): Promise<void> {
    await this.#untilDefinite(command);
    if (command.body.kind !== 'create_session') this.#answered += 1;
  }

  /** Asks until the answer is definite: what nobody knows yet is asked again, by the same id. */
  async #untilDefinite(command: Command): Promise<void> {
    for (;;) {
      try {
        const answer = await this.#link.dispatch(command);
        if (answer.success) return;
        if (answer.error.code !== 'host_lost') {
          this.#wrong.push(`${command.commandId}: ${answer.error.code}: ${answer.error.message}`);
          return;
        }
        count(this.#askedAgain, 'answered host_lost');
        await this.#revive(command);
      } catch (thrown) {
        const { code } = SemoError.from(thrown);
        count(this.#askedAgain, code);
        if (code !== 'host_lost' && code !== 'wait_timed_out') {
          this.#wrong.push(`${command.commandId}: ${String(thrown)}`);
          return;
        }
      }
      await pause(AGAIN_MS);
    }
  }

  /** What died is handed out again: these may be done twice. */
  async #revive({ commandId }: Command): Promise<void> {
    const standing = await this.#transport.commands.get(commandId);
    if (standing?.status !== 'dead') return;
    await this.#transport.commands.requeue(commandId);
    this.#requeued += 1;
  }
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function say(word: OfficeWord): void {
  process.send?.(word);
}

process.once('disconnect', () => process.exit());
const told = JSON.parse(process.argv[2] ?? '{}') as OfficeArguments;
const summary = await new FaultOffice(told).run(commandPlan(told.options));
say({ kind: 'done', summary });
