import { z } from 'zod';

/** How a session is held together, the weakest first. */
export const CONTAINMENT_LEVELS = ['process_group', 'pid_namespace', 'sandbox', 'container'] as const;

/**
 * - `process_group`: its processes are recognised and ended one by one.
 * - `pid_namespace`: the kernel ends them all at once, whatever they do to hide.
 * - `sandbox`: that, and the agent sees and changes only the files it needs.
 * - `container`: the host's own command for containers runs the agent.
 */
export const containmentLevelSchema = z.enum(CONTAINMENT_LEVELS);

/** See {@link containmentLevelSchema}. */
export type ContainmentLevel = z.infer<typeof containmentLevelSchema>;

const absolutePaths = z
  .array(
    z
      .string()
      .max(4096)
      .regex(/^\/[^\0]*$/, 'Give the whole path.'),
  )
  .max(100)
  .readonly()
  .default([]);

/** Whether a wish is one that only a sandbox can keep. */
export function needsSandbox({
  network,
  readable,
  writable,
}: {
  readonly network: 'host' | 'none';
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}): boolean {
  return network === 'none' || readable.length > 0 || writable.length > 0;
}

/**
 * How strongly a session shall be contained. What is asked for by name is given or refused (`containment_unavailable`),
 * never replaced by something weaker; `best` takes what the host has.
 */
export const containmentSpecSchema = z
  .strictObject({
    /** Default: what the host says, which by default is `best`. */
    level: z.union([z.literal('best'), containmentLevelSchema]).optional(),
    /** `none`: not even the host's loopback, so not for agents that speak with a model. In a sandbox only. Default `host`. */
    network: z.enum(['host', 'none']).default('host'),
    /** Files and folders to be seen in a sandbox beside those it has anyway. Inside the host's allowed roots. */
    readable: absolutePaths,
    /** The same, to be changed as well. */
    writable: absolutePaths,
  })
  .refine(
    ({ level = 'best', ...wish }) => level === 'best' || level === 'sandbox' || !needsSandbox(wish),
    'Only a sandbox keeps `network: none`, `readable` and `writable`: ask for the level `sandbox`, or `best`.',
  );

/** See {@link containmentSpecSchema}. */
export type ContainmentSpec = z.input<typeof containmentSpecSchema>;
/** {@link ContainmentSpec} with defaults filled in. */
export type ResolvedContainmentSpec = z.output<typeof containmentSpecSchema>;

const guarantee = <Words extends readonly [string, ...string[]]>(words: Words) =>
  z.object({
    kind: z.enum(words),
    /** A sentence for people. */
    says: z.string(),
  });

/** What is kept, aspect by aspect. The words are closed sets; `declared` is what the host's own container command says. */
export const containmentGuaranteesSchema = z.object({
  /** How everything the agent starts is ended: found one by one, or by the kernel together. */
  process: guarantee(['recognised', 'kernel', 'declared']),
  /** Which files it can reach: all of the user's, or those named. */
  files: guarantee(['user', 'scoped', 'declared']),
  /** Whom it can speak with. */
  network: guarantee(['host', 'none', 'declared']),
  /** Which secrets it can read beside its own credential. */
  credential: guarantee(['user', 'files', 'own', 'declared']),
});

/** See {@link containmentGuaranteesSchema}. */
export type ContainmentGuarantees = z.infer<typeof containmentGuaranteesSchema>;

/** What holds a session's processes together, and what could still get away. */
export const containmentReportSchema = z.object({
  /** The level it got. */
  level: containmentLevelSchema,
  guarantees: containmentGuaranteesSchema,
  /** How processes of this session are recognised: `namespace`, `parentage`, `group`, `folder`, `environment`, `brand`. */
  recognisedBy: z.array(z.string()),
  /** Sentences for people: what could escape. */
  mayEscape: z.array(z.string()),
});

/** See {@link containmentReportSchema}. */
export type ContainmentReport = z.infer<typeof containmentReportSchema>;
