import { assertNever, type SessionStatus } from '@semo-office/core';

import type { LiveTurn } from './live-turn.ts';
import type { ProcessExit } from './terminal/terminal.ts';

/** Where a running agent's session stands. */
export type LiveState =
  | { readonly kind: 'creating' }
  /** Ready, or busy with what the lane says. */
  | { readonly kind: 'alive' }
  /** The process is gone, its remains are not yet: by itself, or because it was asked to leave. */
  | { readonly kind: 'gone'; readonly exit: ProcessExit; readonly asked: boolean }
  | { readonly kind: 'terminated'; readonly exit: ProcessExit };

/** Where a session stands, and the status that is told of it. */
export class LiveStatus {
  readonly #turn: () => LiveTurn | null;
  readonly #tell: (status: SessionStatus) => void;
  #state: LiveState = { kind: 'creating' };
  #shown: SessionStatus = 'creating';

  /** @param turn - The one that runs. @param tell - Hears each status that is another than the one before. */
  constructor(turn: () => LiveTurn | null, tell: (status: SessionStatus) => void) {
    this.#turn = turn;
    this.#tell = tell;
  }

  get state(): LiveState {
    return this.#state;
  }

  get shown(): SessionStatus {
    return this.#shown;
  }

  enter(state: LiveState): void {
    this.#state = state;
    this.look();
  }

  /** Something may have changed about the turn. */
  look(): void {
    const status = shownStatus(this.#state, this.#turn());
    if (status === null || status === this.#shown) return;
    this.#shown = status;
    this.#tell(status);
  }
}

/** The status that a state shows, with the turn that runs; `null` where the one before still holds. */
function shownStatus(state: LiveState, turn: LiveTurn | null): SessionStatus | null {
  switch (state.kind) {
    case 'creating':
    case 'terminated':
      return state.kind;
    case 'alive':
      return busyStatus(turn);
    case 'gone':
      return state.asked ? null : 'error';
    default:
      return assertNever(state);
  }
}

function busyStatus(turn: LiveTurn | null): SessionStatus {
  if (turn === null) return 'ready';
  return turn.isWaiting ? 'waiting_input' : 'executing';
}
