import { warmTemplate } from '../job/job-plan.ts';
import { parseEdge } from '../parse-edge.ts';
import { poolKey } from '../pool/pool-key.ts';
import type { PoolManager, WarmTarget } from '../pool/pool.ts';
import { agentProfileSchema, roleOf, type AgentProfile, type AgentService } from './agent-profile.ts';

/** How many sessions are kept ready, by the id of their agent. */
export type WarmCounts = Readonly<Record<string, number>>;

/** What an office keeps ready unless it is told otherwise, as far as it has such agents. */
export const DEFAULT_WARM: WarmCounts = { FE: 1, BE: 1, QA: 1 };

/** The sessions to be kept ready for a crew. Pure. */
function warmTargets(profiles: readonly AgentProfile[], counts: WarmCounts): WarmTarget[] {
  return profiles.flatMap((given) => {
    const profile = parseEdge(agentProfileSchema, given, { what: 'agent profile' });
    const count = counts[profile.agentId] ?? 0;
    if (count === 0) return [];
    const template = warmTemplate(profile);
    return [{ role: roleOf(profile), count, key: poolKey(template), template }];
  });
}

/** An agent service that sees to it that what is kept ready is what the crew is like now: a changed persona retires sessions. */
export class WarmCrew implements AgentService {
  readonly #agents: AgentService;
  readonly #counts: WarmCounts;
  readonly #pool: PoolManager;
  #known = '';

  constructor({ agents, counts, pool }: { agents: AgentService; counts: WarmCounts; pool: PoolManager }) {
    this.#agents = agents;
    this.#counts = counts;
    this.#pool = pool;
  }

  async find(agentId: string): Promise<AgentProfile | null> {
    const profile = await this.#agents.find(agentId);
    // Looked at anew whenever one that is kept ready is asked for: that is when a change begins to matter.
    if (profile !== null && (this.#counts[agentId] ?? 0) > 0) await this.refresh();
    return profile;
  }

  list(): Promise<readonly AgentProfile[]> {
    return this.#agents.list();
  }

  /** Tells the pool what to keep ready, if that has changed. */
  async refresh(): Promise<void> {
    const targets = warmTargets(await this.#agents.list(), this.#counts);
    const known = JSON.stringify(targets.map(({ key, count }) => [key, count]));
    if (known === this.#known) return;
    this.#known = known;
    this.#pool.setTargets(targets);
  }
}
