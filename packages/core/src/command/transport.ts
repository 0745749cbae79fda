import type { SemoError } from '../errors.ts';
import type { Unsubscribe } from '../session/session-manager.ts';
import type { Command, CommandResult } from './command.ts';
import type { WireEvent } from './wire-event.ts';

/** How the line to the hosts stands. */
export type LinkStatus = 'connected' | 'disconnected' | 'closed';

/**
 * The office's end of a transport. It carries commands to where sessions run and brings events back; it knows nothing of
 * what they mean.
 */
export interface OfficeLink {
  /**
   * Delivers a command and resolves with what became of it. Safe to repeat with the same command id.
   * @throws SemoError `host_lost` when nobody is there or the line broke before the answer (it may have been carried out); with
   * `details.noticed` where the host is known to be lost; `aborted`, `closed`.
   */
  dispatch(command: Command, call?: { readonly signal?: AbortSignal | undefined }): Promise<CommandResult>;
  /** Events in the order the host sent them, per session. */
  onEvent(listener: (event: WireEvent) => void): Unsubscribe;
  /** After a `connected` that follows a `disconnected`, events may have been missed: ask for what matters. */
  onStatus(listener: (status: LinkStatus) => void): Unsubscribe;
  close(): Promise<void>;
}

/**
 * Whether an error says that a host is known to be lost, not only that it did not answer: whoever watches the hosts has noticed
 * (`details.noticed`). Asking again at once is in vain then.
 */
export function isLossNoticed(error: SemoError): boolean {
  return error.code === 'host_lost' && error.details['noticed'] === true;
}

/** The host's end of a transport. */
export interface HostLink {
  /** Hands each arriving command to the handler, whose promise never rejects. One handler at a time. */
  serve(handler: (command: Command) => Promise<CommandResult>): Unsubscribe;
  /** Sends an event to every office that listens. Output may be dropped where a reader is too slow, nothing else. */
  publish(event: WireEvent): void;
  close(): Promise<void>;
}
