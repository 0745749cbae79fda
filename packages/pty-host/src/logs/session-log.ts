import { join } from 'node:path';
import { redacted, redactedText, type LogFields, type Logger } from '@semo-office/core';
import pino, { type Logger as PinoLogger } from 'pino';

import type { ResolvedLogOptions } from './log-options.ts';
import { RotatingFile } from './rotating-file.ts';

/** The log of one session: a file with a line of JSON for each thing that happened. */
export class SessionLog implements Logger {
  readonly #file: RotatingFile;
  readonly #pino: PinoLogger;

  constructor(sessionId: string, { dir, level, maxBytes, onFault }: ResolvedLogOptions) {
    this.#file = new RotatingFile({ path: join(dir, `${sessionId}.log`), maxBytes, onFault });
    const shape = {
      level,
      base: { sessionId },
      messageKey: 'msg',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
    };
    this.#pino = pino(shape, this.#file);
  }

  get isDebug(): boolean {
    return this.#pino.isLevelEnabled('debug');
  }

  debug(message: string, fields: LogFields = {}): void {
    if (this.isDebug) this.#pino.debug(clean(fields), redactedText(message));
  }

  info(message: string, fields: LogFields = {}): void {
    this.#pino.info(clean(fields), redactedText(message));
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#pino.warn(clean(fields), redactedText(message));
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(clean(fields), redactedText(message));
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    return this.#file.end();
  }
}

/** Fields without what looks like a secret. A plain figure is none, even if it counts tokens. */
function clean(fields: LogFields): Record<string, unknown> {
  const shown = Object.entries(fields).map(([name, value]) =>
    typeof value === 'number' || typeof value === 'boolean'
      ? { [name]: value }
      : (redacted({ [name]: value }) as object),
  );
  return Object.assign({}, ...shown) as Record<string, unknown>;
}
