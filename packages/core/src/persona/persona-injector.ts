import { z } from 'zod';

import type { Persona } from './persona.ts';

/** Where a session's persona was written. */
export const personaPlacementSchema = z.object({
  /**
   * - `worktree`: a managed block in `<worktree>/.claude/CLAUDE.md`.
   * - `config_home`: the agent's private configuration, because the repository tracks that file.
   */
  at: z.enum(['worktree', 'config_home']),
  /** The file that holds it. */
  path: z.string(),
  /** See `personaVersion`. */
  version: z.string(),
});

/** See {@link personaPlacementSchema}. */
export type PersonaPlacement = z.infer<typeof personaPlacementSchema>;

/** What {@link PersonaInjector.inject} needs to know. */
export interface PersonaTarget {
  readonly persona: Persona;
  /** The agent's working folder, absolute. */
  readonly folder: string;
  /** The agent's private configuration home, if it has one. */
  readonly configHome?: string | undefined;
  /** Who is using the block; it is removed with its last user. */
  readonly sessionId: string;
}

/** Puts a persona where an agent reads it, before the agent starts, and takes it away after. */
export interface PersonaInjector {
  /**
   * Writes the persona; doing so twice is doing so once, and a user's own text in the file is kept.
   * @throws SemoError `invalid_persona`, `unsafe_path`.
   */
  inject(target: PersonaTarget): Promise<PersonaPlacement>;
  /** Takes this session's persona away; what the user wrote stays. Harmless when nothing is there. */
  remove(target: { readonly folder: string; readonly sessionId: string }): Promise<void>;
}
