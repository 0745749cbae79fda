/** How sessions are logged. */
export interface SessionLogOptions {
  /** Where the files are; made if it is not there, for its owner alone. Default `<stateDir>/logs`. */
  readonly dir?: string | undefined;
  /**
   * `info`: what became of sessions, turns and requests, without a word of prompts or answers. `debug`: also every
   * observation and what agents said, with what looks like a secret taken out. Default `info`.
   */
  readonly level?: 'info' | 'debug' | undefined;
  /** A file that grows beyond this is begun anew, and the one before is kept beside it. Default 10 MiB. */
  readonly maxBytes?: number | undefined;
  /** Files that have not been written to for so long are removed when the host starts. Default 14 days. */
  readonly maxAgeMs?: number | undefined;
  /** All files together when the host starts; beyond it the oldest are removed. Default 1 GiB. */
  readonly maxTotalBytes?: number | undefined;
  /** Told when a log cannot be written; the session goes on. Default: nobody. */
  readonly onFault?: ((thrown: unknown) => void) | undefined;
}

/** {@link SessionLogOptions} with defaults filled in. */
export type ResolvedLogOptions = { readonly [Name in keyof SessionLogOptions]-?: NonNullable<SessionLogOptions[Name]> };

/** Fills the defaults in. */
export function resolveLogOptions(options: SessionLogOptions, defaultDir: string): ResolvedLogOptions {
  return {
    dir: options.dir ?? defaultDir,
    level: options.level ?? 'info',
    maxBytes: options.maxBytes ?? 10 * 1024 * 1024,
    maxAgeMs: options.maxAgeMs ?? 14 * 24 * 3_600_000,
    maxTotalBytes: options.maxTotalBytes ?? 1024 ** 3,
    onFault: options.onFault ?? (() => undefined),
  };
}
