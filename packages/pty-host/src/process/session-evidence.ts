import { sep } from 'node:path';

import { readBrand } from './process-brand.ts';
import type { ProcessScan, ProcessTable } from './process-table.ts';

/** The environment variable every process of a session is started with; its value is the session's id. */
export const SESSION_TAG = 'SEMO_SESSION_ID';

/** What marks a process as one of a session, beside its descent. */
export interface SessionMarks {
  readonly sessionId: string;
  /** The soft limit of the session's brand; see `createBrand`. */
  readonly brand: number | null;
  /** Real paths of folders that belong to this session alone: never one in which a user's own shell could be. */
  readonly ownFolders: readonly string[];
}

/**
 * What a process says about where it belongs: `ours` is proof, `foreign` is another session's tag, `folder` is that it
 * stands in a folder only this session should be in.
 */
export type Evidence = 'ours' | 'foreign' | 'folder' | 'none';

/** Tells what a process says about itself: its brand, the tag in its environment, its working folder. */
export interface Witness {
  brand(pid: number): number | null;
  tag(pid: number): string | null;
  folder(pid: number): string | null;
}

const witnesses = new WeakMap<ProcessScan, Witness>();

/** Asks each process once for all sessions that share a scan: reading three files of every process for each would be dear. */
export function witnessOf(table: ProcessTable, scan: ProcessScan): Witness {
  const witness = witnesses.get(scan) ?? {
    brand: once((pid) => readBrand(table.limits(pid))),
    tag: once((pid) => sessionTag(table.environment(pid))),
    folder: once((pid) => table.workingFolder(pid)),
  };
  witnesses.set(scan, witness);
  return witness;
}

function once<Said>(ask: (pid: number) => Said): (pid: number) => Said {
  const said = new Map<number, Said>();
  return (pid) => {
    const known = said.get(pid);
    if (known !== undefined) return known;
    const told = ask(pid);
    said.set(pid, told);
    return told;
  };
}

/** Looks at brand, environment and working folder of a process, the surest first. */
export function evidenceOf(witness: Witness, pid: number, marks: SessionMarks): Evidence {
  if (marks.brand !== null && witness.brand(pid) === marks.brand) return 'ours';
  const tag = witness.tag(pid);
  if (tag !== null) return tag === marks.sessionId ? 'ours' : 'foreign';
  const folder = marks.ownFolders.length === 0 ? null : witness.folder(pid);
  return folder !== null && isInsideAny(folder, marks.ownFolders) ? 'folder' : 'none';
}

/** The session id in an environment of NUL-ended entries. */
export function sessionTag(environment: Uint8Array | null): string | null {
  if (environment === null) return null;
  const bytes = Buffer.from(environment.buffer, environment.byteOffset, environment.byteLength);
  const name = `${SESSION_TAG}=`;
  const at = bytes.subarray(0, name.length).equals(Buffer.from(name)) ? 0 : bytes.indexOf(`\0${name}`) + 1;
  if (at === 0 && bytes.indexOf(name) !== 0) return null;
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at + name.length, end === -1 ? bytes.length : end);
}

function isInsideAny(folder: string, folders: readonly string[]): boolean {
  // A folder that was removed under a process is shown with this suffix, and still tells where the process belongs.
  const real = folder.replace(/ \(deleted\)$/, '');
  return folders.some((own) => real === own || real.startsWith(own.endsWith(sep) ? own : own + sep));
}
