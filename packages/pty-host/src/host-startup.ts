import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { idSchema, type PersonaInjector } from '@semo-office/core';

import type { HostContainment } from './containment/host-containment.ts';
import type { HostTerminals } from './host-terminals.ts';
import type { HostedSession } from './hosted-session.ts';
import { openJournal, type SessionJournal } from './process/session-journal.ts';
import { sweepSessions, type SweepReport } from './process/session-sweep.ts';
import type { PtySessionManagerOptions } from './pty-session-options.ts';
import type { SessionReadopter } from './readoption/session-readopter.ts';
import type { HostMemory } from './recovery/host-memory.ts';
import type { WorktreeKeeper } from './workspace/worktree-keeper.ts';

/** What a {@link HostStartup} works with. */
export interface HostStartupOptions {
  readonly stateDir: string;
  readonly memory: HostMemory;
  readonly personas: PersonaInjector;
  readonly keeper: WorktreeKeeper;
  readonly containment: HostContainment;
  readonly terminals: HostTerminals;
  readonly readopter: SessionReadopter;
  /** Takes in a session that is gone on with. */
  readonly onTakenUp: (hosted: HostedSession) => void;
  readonly onSweep: PtySessionManagerOptions['onSweep'];
}

/**
 * A host begins with what those before it have left, once, when it is first asked for anything; and looks again when it is asked
 * for a session of one that has died since.
 */
export class HostStartup {
  readonly #options: HostStartupOptions;
  #journal: Promise<SessionJournal> | null = null;
  #sweepingAgain: Promise<void> | null = null;

  constructor(options: HostStartupOptions) {
    this.#options = options;
  }

  /** The journal, once what an earlier host left behind has been taken up or swept up. */
  ready(): Promise<SessionJournal> {
    this.#journal ??= this.#begin();
    return this.#journal;
  }

  /** The same for a session that is not ours: the host it lived in may have died while this one lives. */
  async readyFor(sessionId: string): Promise<void> {
    const journal = await this.ready();
    if (!idSchema.safeParse(sessionId).success) return;
    // A session that is over has no folder any more. Those of living hosts are left alone by the sweep.
    const isLeft = await access(join(this.#options.stateDir, 'sessions', sessionId)).then(
      () => true,
      () => false,
    );
    if (!isLeft) return;
    this.#sweepingAgain ??= this.#sweepAgain(journal).finally(() => (this.#sweepingAgain = null));
    await this.#sweepingAgain;
  }

  async #begin(): Promise<SessionJournal> {
    const { memory, keeper, onSweep } = this.#options;
    const journal = openJournal({ stateDir: this.#options.stateDir });
    const report = await this.#sweep(journal);
    await memory.settleRest();
    onSweep?.({ ...report, worktrees: await keeper.collect() });
    return journal;
  }

  async #sweepAgain(journal: SessionJournal): Promise<void> {
    const report = await this.#sweep(journal);
    if (report.swept.length > 0 || report.takenUp.length > 0) this.#options.onSweep?.(report);
  }

  async #sweep(journal: SessionJournal): Promise<SweepReport> {
    const { readopter, onTakenUp } = this.#options;
    const { stateDir, memory, personas, keeper, containment, terminals } = this.#options;
    memory.beginSweep();
    const report = await sweepSessions({
      stateDir,
      takeUp: async (record) => onTakenUp(await readopter.takeUp(record, journal)),
      removePersona: (target) => personas.remove(target),
      removeWorktree: (worktree, session) => keeper.leave(worktree, session),
      removeTerminal: (terminal, sessionId) => terminals.remove(terminal, sessionId),
      beforeStop: (sessionId) => memory.letWrite(sessionId),
      settle: (session) => memory.settle(session),
    });
    for (const { sessionId } of report.swept) await containment.sweptUp(sessionId);
    return report;
  }
}
