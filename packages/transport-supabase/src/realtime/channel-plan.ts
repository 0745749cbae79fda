import type { ChannelStatus } from './topic-channel.ts';

/** How a channel stands. Times are epoch milliseconds. */
export type ChannelState =
  /** A new line, which has not joined yet. */
  | { readonly kind: 'joining'; readonly since: number }
  | { readonly kind: 'joined'; readonly heardAt: number; readonly rejoins: number }
  /** Was refused, or fell away: the client tries again by itself, for ever. */
  | { readonly kind: 'erring'; readonly since: number; readonly rejoins: number };

/** What there is to be done about it. */
export type ChannelStep =
  | { readonly kind: 'nothing' }
  /** The channel works (again): what came meanwhile was not heard. */
  | { readonly kind: 'catch_up' }
  /** This line is of no more use: close it and make another after a while. */
  | { readonly kind: 'renew'; readonly why: RenewalReason };

/** Why a line is given up. */
export type RenewalReason =
  /** The server closed the channel: its client does not join again. */
  | 'closed'
  /** Joining, or joining again, has taken too long: also a refused upgrade, after which nothing more is said. */
  | 'stuck'
  /** Joined, and no heartbeat is answered: a half-open socket. */
  | 'silent'
  /** It has joined again so often that what its client has left behind adds up. */
  | 'worn';

/** When a channel is given up. */
export interface ChannelLimits {
  /** For how long a line may try to join. */
  readonly joinWithinMs: number;
  /** For how long a joined channel may go without a heartbeat; `null`: heartbeats cannot be heard. */
  readonly silentForMs: number | null;
  /** How often a line may join again. */
  readonly maxRejoins: number;
}

/** What happens to a channel. */
export type ChannelEvent =
  | { readonly kind: 'status'; readonly status: ChannelStatus }
  | { readonly kind: 'heartbeat' }
  /** Time has passed. */
  | { readonly kind: 'tick' };

interface Planned {
  readonly state: ChannelState;
  readonly step: ChannelStep;
}

const NOTHING: ChannelStep = { kind: 'nothing' };

/** How a channel stands after an event, and what to do about it. Pure. */
export function planChannel(
  state: ChannelState,
  event: ChannelEvent,
  { now, limits }: { readonly now: number; readonly limits: ChannelLimits },
): Planned {
  if (event.kind === 'heartbeat')
    return { state: state.kind === 'joined' ? { ...state, heardAt: now } : state, step: NOTHING };
  if (event.kind === 'tick') return { state, step: overdueStep(state, { now, limits }) };
  const rejoins = state.kind === 'joining' ? 0 : state.rejoins;
  switch (event.status) {
    case 'SUBSCRIBED': {
      const again = state.kind === 'joining' ? 0 : rejoins + 1;
      const step: ChannelStep = again > limits.maxRejoins ? { kind: 'renew', why: 'worn' } : { kind: 'catch_up' };
      return { state: { kind: 'joined', heardAt: now, rejoins: again }, step };
    }
    case 'CLOSED':
      return { state, step: { kind: 'renew', why: 'closed' } };
    default:
      // A line that is made anew here would join a second time beside the one that rejoins by itself.
      return { state: state.kind === 'joined' ? { kind: 'erring', since: now, rejoins } : state, step: NOTHING };
  }
}

/** When to look again whether it has taken too long. Pure. */
export function nextTickMs(
  state: ChannelState,
  { now, limits }: { readonly now: number; readonly limits: ChannelLimits },
): number {
  const due = dueAt(state, limits);
  // Never at once, whatever the clock has done.
  return due === null ? limits.joinWithinMs : Math.max(due - now, 10);
}

function overdueStep(
  state: ChannelState,
  { now, limits }: { readonly now: number; readonly limits: ChannelLimits },
): ChannelStep {
  const due = dueAt(state, limits);
  if (due === null || now < due) return NOTHING;
  return { kind: 'renew', why: state.kind === 'joined' ? 'silent' : 'stuck' };
}

function dueAt(state: ChannelState, { joinWithinMs, silentForMs }: ChannelLimits): number | null {
  if (state.kind !== 'joined') return state.since + joinWithinMs;
  return silentForMs === null ? null : state.heardAt + silentForMs;
}
