import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';

import {
  SemoError,
  isSemoError,
  personaVersion,
  renderPersona,
  type PersonaInjector,
  type PersonaPlacement,
  type PersonaTarget,
} from '@semo-office/core';

import { withFileLock } from '../file-lock.ts';
import { tryGit } from '../workspace/git-command.ts';
import { addPattern, anchoredPattern, removePattern } from './git-exclude.ts';
import { managedBlock, withBlock, withoutBlock } from './managed-block.ts';
import {
  loadRegistry,
  removeEmptyRegistryFolder,
  saveRegistry,
  type PersonaFolder,
  type PersonaRegistry,
} from './persona-registry.ts';
import { FILE, FOLDER, mustGoHome, siteOf, type Site } from './persona-site.ts';
import { PinnedFolder, unsafe } from './pinned-folder.ts';

/** Options of {@link createClaudeMdInjector}. */
export interface ClaudeMdInjectorOptions {
  /** Where users of a folder that is in no git repository are counted; see `defaultStateDir`. */
  readonly stateDir: string;
}

/**
 * Writes personas into `<folder>/.claude/CLAUDE.md`, as a managed block before the user's own text.
 *
 * - The file is hidden from `git status` by one line in the repository's `info/exclude`, while any session uses it: also a
 *   user's own untracked file, which is seen again afterwards. No line is added where the user's rules hide it already.
 * - Where git tracks the file, or it is a link to another file of the folder, the persona goes to `<configHome>/CLAUDE.md`.
 * - Several sessions on one folder see the persona of the last one; when that ends, of the one before.
 *
 * @example
 * ```ts
 * const personas = createClaudeMdInjector({ stateDir });
 * const { at, path } = await personas.inject({ persona, folder, configHome, sessionId });
 * ```
 */
export function createClaudeMdInjector({ stateDir }: ClaudeMdInjectorOptions): PersonaInjector {
  return {
    async inject(target) {
      const version = personaVersion(target.persona);
      const block = managedBlock({ text: renderPersona(target.persona), version });
      const site = await siteOf(target.folder, stateDir);
      if (site === null)
        throw new SemoError('workspace_not_found', `There is no folder ${target.folder} to write a persona to.`, {
          details: { path: target.folder },
        });
      const { sessionId } = target;
      const placed = await withRegistry(site, (registry) =>
        place({ site, registry, target, block }).catch(async (error: unknown) => {
          await take({ site, registry, sessionId });
          return SemoError.from(error);
        }),
      );
      if (isSemoError(placed)) throw placed;
      return { ...placed, version };
    },
    async remove({ folder, sessionId }) {
      const site = await siteOf(folder, stateDir);
      // With the folder its file is gone; the repository's registry forgets it with the next use.
      if (site !== null) await withRegistry(site, (registry) => take({ site, registry, sessionId }));
    },
  };
}

async function withRegistry<Result>(
  site: Site,
  change: (registry: PersonaRegistry) => Promise<Result>,
): Promise<Result> {
  const { registryFile } = site;
  const result = await withFileLock(`${registryFile}.lock`, async () => {
    const registry = await loadRegistry(registryFile);
    for (const folder of Object.keys(registry.folders)) {
      if (!existsSync(folder)) delete registry.folders[folder];
    }
    const changed = await change(registry);
    await dropUnusedPatterns(site, registry);
    await saveRegistry(registryFile, registry);
    return changed;
  });
  await removeEmptyRegistryFolder(registryFile);
  return result;
}

async function place({
  site,
  registry,
  target,
  block,
}: {
  site: Site;
  registry: PersonaRegistry;
  target: PersonaTarget;
  block: string;
}): Promise<Omit<PersonaPlacement, 'version'>> {
  const { configHome, sessionId } = target;
  const home = (await mustGoHome(site)) ? configHome : site.folder;
  if (home === undefined) {
    throw new SemoError(
      'not_supported',
      `${join(site.folder, FOLDER, FILE)} belongs to the repository, and this agent has no configuration home of its own for the persona. Start it without a persona, or take the file out of git.`,
    );
  }
  const at = home === site.folder ? 'worktree' : 'config_home';
  const path = at === 'worktree' ? join(site.folder, FOLDER, FILE) : join(home, FILE);
  const entry = (registry.folders[site.folder] ??= { users: [], fileMade: false, folderMade: false, pattern: null });
  const wasUsed = entry.users.some((user) => user.at === 'worktree');
  entry.users = [...entry.users.filter((user) => user.sessionId !== sessionId), { sessionId, at, path, block }];
  if (at === 'worktree') {
    await hide(site, registry, entry);
    await writeInWorktree({ site, registry, entry, wasUsed, block });
  } else {
    await saveRegistry(site.registryFile, registry);
    await using folder = await PinnedFolder.open(await realpath(home));
    await writeBlock(folder, block);
  }
  return { at, path };
}

/** What is about to be done is written down before it is done: a crash in between leaves nothing uncounted. */
async function writeInWorktree({
  site,
  registry,
  entry,
  wasUsed,
  block,
}: {
  site: Site;
  registry: PersonaRegistry;
  entry: PersonaFolder;
  wasUsed: boolean;
  block: string;
}): Promise<void> {
  await using root = await PinnedFolder.open(site.folder);
  const before = await root.folder(FOLDER);
  if (before === null) entry.folderMade = true;
  await saveRegistry(site.registryFile, registry);
  if (before === null) await root.makeFolder(FOLDER);
  await using folder = before ?? (await root.folder(FOLDER));
  if (folder === null) throw unsafe(join(site.folder, FOLDER));
  const file = await folder.read(FILE);
  // A file with nothing but a block in it, and no user, was made by a session whose registry is lost.
  const isLeftover = !wasUsed && file !== null && file.bytes.length > 0 && withoutBlock(file.bytes).length === 0;
  if (file === null || isLeftover) entry.fileMade = true;
  await saveRegistry(site.registryFile, registry);
  await writeBlock(folder, block);
}

async function writeBlock(folder: PinnedFolder, block: string): Promise<void> {
  const file = await folder.read(FILE);
  const bytes = withBlock(file?.bytes ?? new Uint8Array(), block);
  if (file === null || Buffer.compare(bytes, file.bytes) !== 0) await folder.write(FILE, bytes, file);
}

async function take({
  site,
  registry,
  sessionId,
}: {
  site: Site;
  registry: PersonaRegistry;
  sessionId: string;
}): Promise<void> {
  const entry = registry.folders[site.folder];
  const user = entry?.users.find((each) => each.sessionId === sessionId);
  if (entry === undefined || user === undefined) return;
  entry.users = entry.users.filter((each) => each !== user);
  if (user.at === 'config_home') await takeFrom(join(user.path, '..'), { fileMade: true, block: null });
  else {
    const next = entry.users.findLast((each) => each.at === 'worktree');
    await takeFrom(join(site.folder, FOLDER), { fileMade: entry.fileMade, block: next?.block ?? null });
    if (next === undefined) await leaveWorktree(site, entry);
  }
  if (entry.users.length === 0) delete registry.folders[site.folder];
}

async function leaveWorktree(site: Site, entry: PersonaFolder): Promise<void> {
  await using root = await PinnedFolder.open(site.folder);
  if (entry.folderMade) await root.removeEmptyFolder(FOLDER);
  Object.assign(entry, { fileMade: false, folderMade: false, pattern: null });
}

/** Takes the block out of the file, or puts that of another session in its place. */
async function takeFrom(path: string, { fileMade, block }: { fileMade: boolean; block: string | null }): Promise<void> {
  // Gone, or a link by now: nothing of ours is behind it.
  await using folder = await PinnedFolder.open(path).catch(() => null);
  const file = await folder?.read(FILE).catch(() => null);
  if (!folder || !file) return;
  const bytes = block === null ? withoutBlock(file.bytes) : withBlock(file.bytes, block);
  if (bytes.length === 0 && fileMade) await folder.remove(FILE);
  else if (Buffer.compare(bytes, file.bytes) !== 0) await folder.write(FILE, bytes, file);
}

async function hide(
  { folder, commonFolder, registryFile }: Site,
  registry: PersonaRegistry,
  entry: PersonaFolder,
): Promise<void> {
  if (commonFolder === null || entry.pattern !== null) return;
  const prefix = (await tryGit({ cwd: folder, args: ['rev-parse', '--show-prefix'] })).stdout.replace(/\r?\n$/, '');
  const pattern = anchoredPattern(`${prefix}${FOLDER}/${FILE}`);
  if (registry.patterns[pattern] === undefined) {
    const ignored = await tryGit({ cwd: folder, args: ['check-ignore', '--quiet', '--', `${FOLDER}/${FILE}`] });
    if (ignored.status === 0) return;
    entry.pattern = pattern;
    await addPattern(commonFolder, pattern, (change) => {
      registry.patterns[pattern] = change;
      return saveRegistry(registryFile, registry);
    });
  }
  entry.pattern = pattern;
}

async function dropUnusedPatterns({ commonFolder }: Site, registry: PersonaRegistry): Promise<void> {
  const used = new Set(Object.values(registry.folders).map(({ pattern }) => pattern));
  for (const [pattern, change] of Object.entries(registry.patterns)) {
    if (used.has(pattern)) continue;
    if (commonFolder !== null) await removePattern(commonFolder, pattern, change);
    delete registry.patterns[pattern];
  }
}
