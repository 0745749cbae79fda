/** What is told beside a message: flat, plain data. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where log lines go. Whoever implements it takes secrets out, and never throws.
 *
 * @example
 * ```ts
 * logger.info('turn ended', { turnId, outcome });
 * ```
 */
export interface Logger {
  /** What helps to find a fault; may be much. */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
