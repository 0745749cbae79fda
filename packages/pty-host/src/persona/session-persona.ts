import type { PersonaInjector, PersonaPlacement, ResolvedSessionSpec } from '@semo-office/core';

import type { JournaledSession } from '../process/session-journal.ts';
import type { UndoList } from '../undo-list.ts';
import { isIgnored } from '../workspace/git-facts.ts';

/** A session's persona where its agent reads it. */
export interface WrittenPersona {
  readonly placement: PersonaPlacement | null;
  /** Makes sure that git does not see it. */
  readonly hide: () => Promise<void>;
}

/** Writes a session's persona, before its agent starts. What is written is on disk as to be undone before it is. */
export async function writePersona({
  personas,
  spec: { sessionId, persona },
  folder,
  configHome,
  place,
  undo,
}: {
  readonly personas: PersonaInjector;
  readonly spec: ResolvedSessionSpec;
  readonly folder: string;
  readonly configHome: string | null;
  readonly place: JournaledSession;
  readonly undo: UndoList;
}): Promise<WrittenPersona> {
  if (persona === undefined) return { placement: null, hide: () => Promise.resolve() };
  await place.update({ personaFolders: [folder] });
  undo.add(() => personas.remove({ folder, sessionId }));
  const write = () => personas.inject({ persona, folder, configHome: configHome ?? undefined, sessionId });
  return written(await write(), { folder, write });
}

/** A persona that another host has written; it is taken away by this one. */
export function takeUpPersona(
  placement: PersonaPlacement | null,
  {
    personas,
    spec: { sessionId, persona },
    folder,
    configHome,
    undo,
  }: Omit<Parameters<typeof writePersona>[0], 'place'>,
): WrittenPersona {
  if (persona === undefined || placement === null) return { placement: null, hide: () => Promise.resolve() };
  undo.add(() => personas.remove({ folder, sessionId }));
  const write = () => personas.inject({ persona, folder, configHome: configHome ?? undefined, sessionId });
  return written(placement, { folder, write });
}

function written(
  placement: PersonaPlacement,
  { folder, write }: { readonly folder: string; readonly write: () => Promise<PersonaPlacement> },
): WrittenPersona {
  return {
    placement,
    // Where rules of the repository hid it, another branch may have others.
    hide: async () => {
      if (placement.at === 'worktree' && !(await isIgnored(folder, placement.path))) await write();
    },
  };
}
