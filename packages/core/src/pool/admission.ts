/** Leave to open one more session. */
export type AdmissionVerdict =
  | { readonly kind: 'ok' }
  /** Not now: ask again after so many milliseconds. Whoever waits keeps its place. */
  | { readonly kind: 'wait'; readonly retryAfterMs: number }
  /** Never, as things are: whoever waits is told `capacity_exhausted` with this reason. */
  | { readonly kind: 'refuse'; readonly reason: string };

/** What an {@link Admission} is asked. */
export interface AdmissionRequest {
  /** The role of the session that is to be opened. */
  readonly role: string;
  /** Sessions that have leave and are still being opened: they do not use yet what they are going to use. */
  readonly openings: number;
}

/**
 * Decides whether the machine carries one more session; the pool asks before it opens one. Of several askers each is
 * told of those before it.
 */
export interface Admission {
  admit(request: AdmissionRequest): Promise<AdmissionVerdict>;
}

/** Options of {@link memoryAdmission}; all sizes in bytes. */
export interface MemoryAdmissionOptions {
  /** What the machine could give out now. */
  readonly freeBytes: () => Promise<number>;
  /** What must stay free. Default 1 GiB. */
  readonly floorBytes?: number | undefined;
  /** What a session of a role will use once it works. */
  readonly perSessionBytes: (role: string) => number;
  /** What there is at all: a session that could not even fit alone is refused. Default: nothing is refused. */
  readonly totalBytes?: number | undefined;
  /** When to ask again while memory is short, in milliseconds. Default 1 000. */
  readonly retryAfterMs?: number | undefined;
}

const GIBIBYTE = 1024 ** 3;

/**
 * Admission by memory: a session is opened if it and all that are being opened fit above the floor.
 *
 * @example
 * ```ts
 * const admission = memoryAdmission({ freeBytes: availableMemory, perSessionBytes: () => 600 * 1024 ** 2 });
 * ```
 */
export function memoryAdmission(options: MemoryAdmissionOptions): Admission {
  const { freeBytes, perSessionBytes, floorBytes = GIBIBYTE, totalBytes = Infinity, retryAfterMs = 1000 } = options;
  return {
    async admit({ role, openings }) {
      const each = perSessionBytes(role);
      if (floorBytes + each > totalBytes) {
        const reason = `A session of role ${role} needs ${each} bytes above a floor of ${floorBytes}, of ${totalBytes} in all.`;
        return { kind: 'refuse', reason };
      }
      const fits = (await freeBytes()) - floorBytes >= each * (openings + 1);
      return fits ? { kind: 'ok' } : { kind: 'wait', retryAfterMs };
    },
  };
}
