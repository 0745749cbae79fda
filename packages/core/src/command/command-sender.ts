import type { z } from 'zod';

import type { Clock } from '../clock.ts';
import { SemoError, isSemoError } from '../errors.ts';
import { newId } from '../ids.ts';
import { parseEdge } from '../parse-edge.ts';
import type { CallOptions } from '../session/session-manager.ts';
import { commandBodySchema, commandResultSchema, errorFromWire, type Command, type CommandBody } from './command.ts';
import { isLossNoticed, type OfficeLink } from './transport.ts';
import { commandAnswerSchemas, type CommandAnswer } from './wire-result.ts';

/** How long to wait before asking again when the line is said to be up and yet nobody answers. */
const RETRY_DELAY_MS = 250;

/** What {@link CommandSender} needs. */
export interface CommandSenderOptions {
  readonly link: OfficeLink;
  readonly clock: Clock;
  /** For how long a command is tried again while the host cannot be reached. */
  readonly hostLostAfterMs: number;
}

/** Whether a command may be sent again when nobody knows if it arrived. Typing twice is typing twice. */
function mayRepeat({ kind }: CommandBody): boolean {
  return kind !== 'send_text' && kind !== 'send_keystrokes';
}

/** Sends commands and parses their answers; what can be repeated is repeated, with the same id, while the host is away. */
export class CommandSender {
  readonly #link: OfficeLink;
  readonly #clock: Clock;
  readonly #hostLostAfterMs: number;

  constructor({ link, clock, hostLostAfterMs }: CommandSenderOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#hostLostAfterMs = hostLostAfterMs;
  }

  /** The host's answer. @throws SemoError whatever the host answered, `invalid_argument`, `host_lost`, `aborted`, `closed`. */
  async send<Body extends CommandBody>(
    body: Body,
    call: CallOptions & { readonly repeat?: boolean } = {},
  ): Promise<CommandAnswer<Body['kind']>> {
    const command = { commandId: newId('cmd'), body: parseEdge(commandBodySchema, body, { what: body.kind }) };
    const repeat = (call.repeat ?? true) && mayRepeat(body);
    let deadline: number | null = null;
    for (;;) {
      try {
        return await this.#sendOnce<Body['kind']>(command, call.signal);
      } catch (thrown) {
        if (!repeat || !isSemoError(thrown, 'host_lost') || isLossNoticed(thrown)) throw thrown;
        deadline ??= this.#clock.now() + this.#hostLostAfterMs;
        const leftMs = deadline - this.#clock.now();
        if (leftMs <= 0) throw thrown;
        await this.#reconnected(Math.min(RETRY_DELAY_MS, leftMs), call.signal);
      }
    }
  }

  async #sendOnce<Kind extends CommandBody['kind']>(
    command: Command,
    signal: AbortSignal | undefined,
  ): Promise<CommandAnswer<Kind>> {
    if (signal?.aborted === true) throw abortedError(signal);
    const arrived = await this.#link.dispatch(command, { signal });
    const result = parseEdge(commandResultSchema, arrived, { what: 'answer of the host', code: 'invalid_message' });
    if (!result.success) throw errorFromWire(result.error);
    const schema: z.ZodType = commandAnswerSchemas[command.body.kind];
    const answer = parseEdge(schema, result.result, {
      what: `answer to ${command.body.kind}`,
      code: 'invalid_message',
    });
    return answer as CommandAnswer<Kind>;
  }

  /** Resolves when the line is up again, or after a while in any case. */
  #reconnected(atMostMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        cancel();
        off();
        signal?.removeEventListener('abort', onAbort);
        run();
      };
      const onAbort = (): void => {
        settle(() => {
          reject(abortedError(signal));
        });
      };
      const cancel = this.#clock.schedule(atMostMs, () => {
        settle(resolve);
      });
      const off = this.#link.onStatus((status) => {
        if (status !== 'disconnected') settle(resolve);
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** The error of a call whose signal gave it up. */
export function abortedError(signal: AbortSignal | undefined): SemoError {
  return new SemoError('aborted', 'The call was given up by its signal. What it asked for may still happen.', {
    cause: signal?.reason,
  });
}
