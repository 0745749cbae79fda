import { EventHub, SemoError } from '../../src/index.ts';
import type { Command, CommandResult, HostLink, LinkStatus, OfficeLink, WireEvent } from '../../src/index.ts';

interface LineEvents {
  event: WireEvent;
  status: LinkStatus;
}

/** A line that can be cut and mended at will, and that shows what crossed it. */
export class TestLine {
  readonly sent: Command[] = [];
  readonly published: WireEvent[] = [];
  readonly events = new EventHub<LineEvents>();
  handler: ((command: Command) => Promise<CommandResult>) | null = null;
  isUp = true;
  isClosed = false;
  /** Answers instead of the handler, when set. */
  answer: ((command: Command) => Promise<unknown>) | null = null;
  readonly #cut = new Set<() => void>();

  readonly office: OfficeLink = {
    dispatch: (command) => this.#dispatch(command),
    onEvent: (listener) => this.events.on('event', listener),
    onStatus: (listener) => this.events.on('status', listener),
    close: async () => {
      this.isClosed = true;
    },
  };

  readonly host: HostLink = {
    serve: (handler) => {
      this.handler = handler;
      return () => {
        this.handler = null;
      };
    },
    publish: (event) => {
      this.published.push(event);
      if (this.isUp) this.events.emit('event', event);
    },
    close: async () => {},
  };

  cut(): void {
    this.isUp = false;
    for (const cut of this.#cut) cut();
    this.#cut.clear();
    this.events.emit('status', 'disconnected');
  }

  mend(): void {
    this.isUp = true;
    this.events.emit('status', 'connected');
  }

  #dispatch(command: Command): Promise<CommandResult> {
    this.sent.push(command);
    const lost = new SemoError('host_lost', 'The line is cut.');
    if (!this.isUp) return Promise.reject(lost);
    return new Promise((resolve, reject) => {
      this.#cut.add(() => reject(lost));
      const answered = this.answer?.(command) ?? this.handler?.(command) ?? Promise.reject(lost);
      answered.then((result) => resolve(result as CommandResult), reject);
    });
  }
}
