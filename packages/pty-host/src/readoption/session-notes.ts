import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  SemoError,
  assignmentSchema,
  containmentReportSchema,
  keptSpecSchema,
  personaPlacementSchema,
  promptOptionsSchema,
  workspaceInfoSchema,
  type ResolvedPromptOptions,
} from '@semo-office/core';
import { z } from 'zod';

import { writeRecordFile } from '../recovery/record-files.ts';

/** Another shape of the notes has another number: a host takes up only what it understands. */
const VERSION = 1;
const FILE = 'readoption.json';

const turnNoteSchema = z.object({
  turnId: z.string(),
  prompt: z.string(),
  options: promptOptionsSchema,
  outputStart: z.number().int().nonnegative(),
  /** Where the output stood as it was sent; what the agent printed before it was first asked belongs to its first turn. */
  sentAt: z.number().int().nonnegative(),
});

const sessionNoteSchema = z.object({
  /** The values of its variables are in the agent's environment, and nowhere on disk. */
  spec: keptSpecSchema,
  createdAt: z.number(),
  /** The agent's version. */
  version: z.string().nullable(),
  /** See `Launch.keepsake`. */
  driver: z.unknown(),
  /** See `ContainedStart.pidInside`. */
  pidInside: z.union([z.literal('same'), z.number()]),
  containment: containmentReportSchema,
  workspace: z.object({ info: workspaceInfoSchema, assigned: assignmentSchema.nullable() }),
  persona: personaPlacementSchema.nullable(),
});

const notesSchema = z.object({
  version: z.literal(VERSION),
  session: sessionNoteSchema,
  /** How many prompts have been sent, the one that runs included. */
  turns: z.number().int().nonnegative(),
  /** The one that runs. */
  turn: turnNoteSchema.nullable(),
});

/** What is known of a session as long as it lives. */
export type SessionNote = z.output<typeof sessionNoteSchema>;
/** What was sent to an agent that has not finished with it. */
export interface TurnNote {
  readonly turnId: string;
  readonly prompt: string;
  readonly options: ResolvedPromptOptions;
  readonly outputStart: number;
  readonly sentAt: number;
}
/** All that a next host needs to know. */
export type Notes = z.output<typeof notesSchema>;

/** Reads the notes of a session's private folder. @throws SemoError `internal`: there are none that can be understood. */
export async function readNotes(folder: string): Promise<Notes> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => null);
  if (text === null)
    throw new SemoError('internal', 'It was not open yet, was about to end, or cannot be gone on with by its kind.');
  try {
    return notesSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SemoError('internal', 'Its host was of another version.', { cause });
  }
}

/**
 * Notes for the next host, in the private folder of a session whose terminal outlives this one. The prompt that runs is
 * among them, for as long as it runs.
 */
export class SessionNotes {
  readonly #folder: string;
  #notes: Notes | null;
  #writing: Promise<void> = Promise.resolve();

  /** @param notes - Those that a host before has left. */
  constructor(folder: string, notes: Notes | null = null) {
    this.#folder = folder;
    this.#notes = notes;
  }

  /** The session is open: from now on another host could take it up. */
  async opened(session: SessionNote): Promise<void> {
    await this.#write({ version: VERSION, session, turns: 0, turn: null });
  }

  /** It has another branch. */
  async assigned(workspace: SessionNote['workspace']): Promise<void> {
    if (this.#notes === null) return;
    await this.#write({ ...this.#notes, session: { ...this.#notes.session, workspace } });
  }

  /** The next thing is the first byte of the prompt. */
  async sending(turn: TurnNote): Promise<void> {
    if (this.#notes !== null) await this.#write({ ...this.#notes, turns: this.#notes.turns + 1, turn });
  }

  /** A turn has ended, and that is known from elsewhere: this is written behind. */
  over(turnId: string): void {
    if (this.#notes?.turn?.turnId !== turnId) return;
    this.#write({ ...this.#notes, turn: null }).catch(() => undefined);
  }

  /** The session is about to end: nobody is to take it up any more. */
  async withdraw(): Promise<void> {
    this.#notes = null;
    await this.#writing;
    await rm(join(this.#folder, FILE), { force: true });
  }

  #write(notes: Notes): Promise<void> {
    this.#notes = notes;
    const written = this.#writing.then(() =>
      this.#notes === notes ? writeRecordFile(join(this.#folder, FILE), notes) : undefined,
    );
    this.#writing = written.catch(() => undefined);
    return written.then(() => this.#writing);
  }
}
