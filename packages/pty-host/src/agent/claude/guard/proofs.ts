import { createHash } from 'node:crypto';

import { keptVariables, runCanary, type CanaryOptions } from './canary.ts';
import type { ClaudeHome } from '../home.ts';
import { hookSettings, type HookWish } from '../hooks/hook-settings.ts';

const NOWHERE = { url: '', token: '' };

/**
 * Proofs that the guard holds, one for each binary, version, environment and shape of settings. Sessions that start
 * together share one; what failed is tried again by the next.
 */
export class ClaudeProofs {
  readonly #proofs = new Map<string, Promise<void>>();
  readonly #run: (options: CanaryOptions) => Promise<void>;

  /** @param run - Default: the real canary. */
  constructor(run: (options: CanaryOptions) => Promise<void> = runCanary) {
    this.#run = run;
  }

  /**
   * Begins to prove that the guard of a session holds, beside whatever else is done for its start. The promise rejects with
   * `guard_failed`; one that nobody awaits harms nobody.
   */
  begin({ home, wish, folder }: { readonly home: ClaudeHome; readonly wish: HookWish; readonly folder: string }) {
    const { binary, version, env } = home;
    const proof = this.prove({ binary, version, env, folder, settings: (endpoint) => hookSettings(endpoint, wish) });
    proof.catch(() => undefined);
    return proof;
  }

  /** @throws SemoError `guard_failed`. */
  async prove(options: CanaryOptions): Promise<void> {
    const key = keyOf(options);
    const known = this.#proofs.get(key);
    if (known !== undefined) return known;
    const proof = this.#run(options);
    this.#proofs.set(key, proof);
    proof.catch(() => this.#proofs.delete(key));
    return proof;
  }
}

/** A digest: the environment may hold secrets. */
function keyOf({ binary, version, settings, env }: CanaryOptions): string {
  const variables = Object.entries(keptVariables(env)).toSorted(([one], [other]) => one.localeCompare(other));
  const facts = JSON.stringify([binary, version, settings(NOWHERE), variables]);
  return createHash('sha256').update(facts).digest('hex');
}
