import type { PersonaInjector } from '@semo-office/core';

import type { HostContainment } from './containment/host-containment.ts';
import type { HostTerminals } from './host-terminals.ts';
import type { HostedSession } from './hosted-session.ts';
import { openJournal, type SessionJournal } from './process/session-journal.ts';
import { sweepSessions } from './process/session-sweep.ts';
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

/** A host begins with what those before it have left, once, when it is first asked for anything. */
export class HostStartup {
  readonly #options: HostStartupOptions;
  #journal: Promise<SessionJournal> | null = null;

  constructor(options: HostStartupOptions) {
    this.#options = options;
  }

  /** The journal, once what an earlier host left behind has been taken up or swept up. */
  ready(): Promise<SessionJournal> {
    this.#journal ??= this.#begin();
    return this.#journal;
  }

  async #begin(): Promise<SessionJournal> {
    const journal = openJournal({ stateDir: this.#options.stateDir });
    await this.#sweep(journal);
    return journal;
  }

  async #sweep(journal: SessionJournal): Promise<void> {
    const { readopter, onTakenUp } = this.#options;
    const { stateDir, memory, personas, keeper, containment, terminals, onSweep } = this.#options;
    const report = await sweepSessions({
      stateDir,
      takeUp: async (record) => onTakenUp(await readopter.takeUp(record, journal)),
      removePersona: (target) => personas.remove(target),
      removeWorktree: (worktree, session) => keeper.leave(worktree, session),
      removeTerminal: (terminal, sessionId) => terminals.remove(terminal, sessionId),
      beforeStop: (sessionId) => memory.letWrite(sessionId),
      settle: (session) => memory.settle(session),
    });
    await memory.settleRest();
    for (const { sessionId } of report.swept) await containment.sweptUp(sessionId);
    onSweep?.({ ...report, worktrees: await keeper.collect() });
  }
}
