import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { idSchema } from '@semo-office/core';
import { z } from 'zod';

import { madeWorktreeSchema } from '../workspace/made-worktree.ts';
import { isAlive, type ProcessTable } from './process-table.ts';

const identitySchema = z.object({ pid: z.number().int(), startTime: z.number() });

const terminalSchema = z.object({
  kind: z.literal('tmux'),
  socket: z.string(),
  session: z.string(),
  /** `null` until it is known: the window is found by the session's id. */
  pane: z.string().nullable(),
  /** Where its output is kept. */
  folder: z.string(),
});

/** A terminal that outlives its host. */
export type TerminalRecord = z.output<typeof terminalSchema>;

/** What is remembered on disk of a session, so that the next host can clear up after one that was killed. */
export const sessionRecordSchema = z.object({
  sessionId: idSchema,
  /** The host that runs it, and where that host's process ids are valid. */
  owner: identitySchema,
  machine: z.object({ hostname: z.string(), bootId: z.string(), pidNamespace: z.string() }),
  /** The soft limit of the session's brand. */
  brand: z.number().nullable().default(null),
  /** The agent. */
  root: identitySchema.nullable().default(null),
  /** Its processes that left its session. */
  detached: z.array(identitySchema).default([]),
  /** Folders that are this session's alone, beside its private one; real paths. */
  ownFolders: z.array(z.string()).default([]),
  /** Folders that hold its persona. */
  personaFolders: z.array(z.string()).default([]),
  /** The worktree that was made for it. */
  worktree: madeWorktreeSchema.nullable().default(null),
  /** Its terminal, where that outlives the host. */
  terminal: terminalSchema.nullable().default(null),
});

/** See {@link sessionRecordSchema}. */
export type SessionRecord = z.output<typeof sessionRecordSchema>;
/** What of a record changes as the session goes on. */
export type SessionRecordChange = Partial<Omit<SessionRecord, 'sessionId' | 'owner' | 'machine'>>;

const RECORD_FILE = 'record.json';

/** `$XDG_STATE_HOME/semo`, or `~/.local/state/semo`. */
export function defaultStateDir(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment['XDG_STATE_HOME'];
  const home = environment['HOME'] ?? homedir();
  return join(state !== undefined && isAbsolute(state) ? state : join(home, '.local', 'state'), 'semo');
}

/** Writes the record at once: a reader sees the one before or this one. Nobody but the user may read it. */
export async function writeRecord(folder: string, record: SessionRecord): Promise<void> {
  const temporary = join(folder, `.${RECORD_FILE}.${randomUUID()}`);
  await writeFile(temporary, JSON.stringify(record, null, 2), { mode: 0o600 });
  await rename(temporary, join(folder, RECORD_FILE));
}

/** Reads the record of a session's folder; `null` when there is none that makes sense. */
export async function readRecord(folder: string): Promise<SessionRecord | null> {
  try {
    return sessionRecordSchema.parse(JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8')));
  } catch {
    return null;
  }
}

/**
 * What can be said of a record's owner from here: `elsewhere` when it belongs to another machine or container, whose
 * processes we cannot see; `rebooted` when all processes of its time are gone with it.
 */
export function ownerState(
  { owner, machine }: SessionRecord,
  table: ProcessTable,
): 'alive' | 'dead' | 'rebooted' | 'elsewhere' {
  const here = table.machine;
  if (machine.hostname !== here.hostname) return 'elsewhere';
  if (machine.bootId !== here.bootId) return 'rebooted';
  if (machine.pidNamespace !== here.pidNamespace) return 'elsewhere';
  return isAlive(table, owner) ? 'alive' : 'dead';
}
