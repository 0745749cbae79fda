import { SemoError } from '../errors.ts';
import { warmTemplate } from '../job/job-plan.ts';
import { parseEdge } from '../parse-edge.ts';
import { poolKey } from '../pool/pool-key.ts';
import type { PoolManager, WarmTarget } from '../pool/pool.ts';
import { agentProfileSchema, roleOf, type AgentProfile, type AgentService } from './agent-profile.ts';

/** How many sessions are kept ready, by the id of their agent. */
export type WarmCounts = Readonly<Record<string, number>>;

/** What an office keeps ready unless it is told otherwise, as far as it has such agents. */
export const DEFAULT_WARM: WarmCounts = { FE: 1, BE: 1, QA: 1 };

/** What {@link WarmCrew} works with. */
export interface WarmCrewOptions {
  readonly agents: AgentService;
  readonly counts: WarmCounts;
  readonly pool: PoolManager;
  /** Told why something is not kept ready. It fails no job. */
  readonly onFault: (error: SemoError) => void;
}

/** An agent service that sees to it that what is kept ready is what the crew is like now: a changed persona retires sessions. */
export class WarmCrew implements AgentService {
  readonly #options: WarmCrewOptions;
  #known = '';
  #refreshes = 0;

  constructor(options: WarmCrewOptions) {
    this.#options = options;
  }

  async find(agentId: string): Promise<AgentProfile | null> {
    const { agents, counts } = this.#options;
    const profile = await agents.find(agentId);
    // Looked at anew whenever one that is kept ready is asked for: that is when a change begins to matter.
    if (profile !== null && (counts[agentId] ?? 0) > 0) await this.refresh();
    return profile;
  }

  list(): Promise<readonly AgentProfile[]> {
    return this.#options.agents.list();
  }

  /** Tells the pool what to keep ready, if that has changed. What stands in the way is told, never thrown. */
  async refresh(): Promise<void> {
    const { agents, pool, onFault } = this.#options;
    this.#refreshes += 1;
    const mine = this.#refreshes;
    try {
      const targets = this.#targets(await agents.list());
      const known = JSON.stringify(targets.map(({ key, count }) => [key, count]));
      // Whoever asked later knows better.
      if (mine !== this.#refreshes || known === this.#known) return;
      this.#known = known;
      pool.setTargets(targets);
    } catch (thrown) {
      onFault(SemoError.from(thrown));
    }
  }

  #targets(profiles: readonly AgentProfile[]): WarmTarget[] {
    const { counts, onFault } = this.#options;
    return profiles.flatMap((given) => {
      const count = counts[given.agentId] ?? 0;
      if (count === 0) return [];
      try {
        const profile = parseEdge(agentProfileSchema, given, { what: 'agent profile' });
        const template = warmTemplate(profile);
        return [{ role: roleOf(profile), count, key: poolKey(template), template }];
      } catch (thrown) {
        // One that cannot be used is no reason to keep nobody ready.
        onFault(SemoError.from(thrown));
        return [];
      }
    });
  }
}
