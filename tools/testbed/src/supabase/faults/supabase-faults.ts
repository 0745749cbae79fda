import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { LocalPostgres } from '../postgres/local-postgres.ts';
import type { RealtimeFaults } from '../realtime/realtime-service.ts';
import { FaultSwitch } from './fault.ts';
import type { Fault, FaultDuration } from './fault.ts';

/** What can go wrong with requests over HTTP: REST, and broadcasts by HTTP too. */
export interface RestFaults {
  /** Answers without asking the database. Default: 503. */
  answerWith(options?: FaultDuration & { readonly status?: number }): Fault;
  /**
   * Cuts the connection instead of an answer.
   * @param options.when `before` the request is carried out, or `after`: then its effect stays, and nobody is told.
   * Default: `before`.
   */
  cutConnections(options?: FaultDuration & { readonly when?: 'before' | 'after' }): Fault;
}

/** Everything that can be made to go wrong. */
export interface SupabaseFaults {
  readonly realtime: RealtimeFaults;
  readonly rest: RestFaults;
  readonly postgres: Pick<LocalPostgres, 'restart' | 'pause' | 'resume'>;
}

type RestFault =
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' };

type Serve = (response: ServerResponse) => Promise<void>;

/** Stands before what answers requests. */
export class RestInterference implements RestFaults {
  readonly #switch = new FaultSwitch<RestFault>();

  answerWith({ status = 503, ...duration }: FaultDuration & { readonly status?: number } = {}): Fault {
    return this.#switch.turnOn({ kind: 'answer', status }, duration);
  }

  cutConnections({ when = 'before', ...duration }: FaultDuration & { readonly when?: 'before' | 'after' } = {}): Fault {
    return this.#switch.turnOn({ kind: 'cut', when }, duration);
  }

  /** Lets the request through to `serve`, or does to it what is wrong at the moment. */
  async around(incoming: IncomingMessage, response: ServerResponse, serve: Serve): Promise<void> {
    const fault = this.#switch.value;
    if (fault === undefined) return serve(response);
    if (fault.kind === 'answer') {
      incoming.resume();
      response.writeHead(fault.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'The testbed was told to fail.' }));
      return;
    }
    if (fault.when === 'after') {
      // The answer is written, to nobody.
      await serve(new ServerResponse(incoming));
    }
    response.socket?.destroy();
  }
}
