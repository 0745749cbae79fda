import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve as absolute, sep } from 'node:path';

import {
  SemoError,
  assertNever,
  parseEdge,
  workspaceSchema,
  type ResolvedAssignment,
  type Workspace,
  type WorkspaceInfo,
} from '@semo-office/core';
import type { z } from 'zod';

import { addSlot, addWorktree } from './git-worktrees.ts';
import type { MadeWorktree } from './made-worktree.ts';
import type { WorktreeKeeper } from './worktree-keeper.ts';
import { assignSlot } from './worktree-slot.ts';

/** Options of {@link createWorkspaceResolver}. */
export interface WorkspaceResolverOptions {
  /** Folders a `path` workspace may be in. Default: anywhere. */
  readonly allowedRoots?: readonly string[] | undefined;
  /** Repositories by the id that workspaces name them with. Default none. */
  readonly repositories?: Readonly<Record<string, string>> | undefined;
  /** Where worktrees are made: `<worktreeRoot>/agent/{role}/{taskId}`, and slots: `<worktreeRoot>/slot/{role}/{sessionId}`. */
  readonly worktreeRoot: string;
  /** Knows which worktrees sessions have left, to be taken up again. Default: none are. */
  readonly keeper?: Pick<WorktreeKeeper, 'find' | 'usersOf' | 'forget'> | undefined;
}

/** Where a session works, and what was made for it. */
export interface ResolvedWorkspace {
  readonly info: WorkspaceInfo;
  /** The worktree that was made for the session, to be given to `removeWorktree` at its end; `null` for a user's own folder. */
  readonly worktree: MadeWorktree | null;
}

/** Turns what a session asks for into a folder on this machine's disk. */
export interface WorkspaceResolver {
  /**
   * Finds the folder, or makes the worktree.
   * @throws SemoError `workspace_not_found`, `workspace_not_directory`, `workspace_forbidden`, `repository_unknown`,
   * `invalid_argument`, `session_busy`, `git_failed`.
   */
  resolve(request: WorkspaceRequest): Promise<ResolvedWorkspace>;
  /**
   * Gives a slot its job. The slot is as it was when that fails.
   * @throws SemoError `not_supported` (it is no slot), `workspace_dirty`, `invalid_argument`, `git_failed`.
   */
  assign(current: ResolvedWorkspace, request: AssignmentRequest): Promise<ResolvedWorkspace>;
}

/** What a session asks for, and what its worktree's folder is named by. */
export interface WorkspaceRequest {
  readonly workspace: Workspace;
  readonly sessionId: string;
  /** Folder name where the workspace gives no role; anything but letters, digits, "-" and "_" becomes "-". Default `agent`. */
  readonly role?: string | undefined;
  /** Is told of a worktree before it is made, to write it down. */
  readonly announce?: ((worktree: MadeWorktree) => Promise<void>) | undefined;
}

/** The job that a slot is to have. */
export interface AssignmentRequest extends WorkspaceRequest {
  readonly assignment: ResolvedAssignment;
}

type Asked<Kind extends Workspace['kind']> = Extract<z.output<typeof workspaceSchema>, { kind: Kind }>;

/**
 * A resolver for this machine.
 *
 * @example
 * ```ts
 * const workspaces = createWorkspaceResolver({ allowedRoots: ['/srv/work'], repositories: { app: '/srv/app' }, worktreeRoot: '/srv/worktrees' });
 * const { info, worktree } = await workspaces.resolve({ workspace: { kind: 'git', repoId: 'app', branch: 'agent/fe-1' }, sessionId });
 * ```
 */
export function createWorkspaceResolver({
  allowedRoots,
  repositories = {},
  worktreeRoot,
  keeper,
}: WorkspaceResolverOptions): WorkspaceResolver {
  const root = absolute(worktreeRoot);

  async function resolveGit(workspace: Asked<'git'>, request: WorkspaceRequest): Promise<ResolvedWorkspace> {
    const { repoId, branch, base, retain, takeUp } = workspace;
    const { sessionId, announce } = request;
    const path = join(root, 'agent', workspace.role ?? folderName(request.role), workspace.taskId ?? sessionId);
    const repository = await repositoryOf(repoId, repositories);
    const left = takeUp && keeper !== undefined ? { takeUp: keeper } : {};
    const worktree = await addWorktree({ repository, root, path, branch, base, retain, announce, ...left });
    if (!worktree.reused) await keeper?.forget(worktree.path);
    return { info: infoOf(worktree, repoId), worktree };
  }

  async function resolveSlot(workspace: Asked<'slot'>, request: WorkspaceRequest): Promise<ResolvedWorkspace> {
    const { repoId, base } = workspace;
    const path = join(root, 'slot', workspace.role ?? folderName(request.role), request.sessionId);
    const repository = await repositoryOf(repoId, repositories);
    const worktree = await addSlot({ repository, root, path, base, announce: request.announce });
    return { info: infoOf(worktree, repoId), worktree };
  }

  return {
    async resolve(request) {
      const asked = parseEdge(workspaceSchema, request.workspace, { what: 'workspace' });
      switch (asked.kind) {
        case 'git':
          return resolveGit(asked, request);
        case 'slot':
          return resolveSlot(asked, request);
        case 'path':
          return resolvePath(asked.path, allowedRoots);
        default:
          return assertNever(asked);
      }
    },
    assign: assignResolved,
  };
}

async function resolvePath(
  named: string,
  allowedRoots: WorkspaceResolverOptions['allowedRoots'],
): Promise<ResolvedWorkspace> {
  const path = await existingFolder(named);
  if (allowedRoots !== undefined) await checkConfined(path, allowedRoots);
  return { info: { kind: 'path', path }, worktree: null };
}

async function repositoryOf(repoId: string, repositories: Readonly<Record<string, string>>): Promise<string> {
  const repository = Object.hasOwn(repositories, repoId) ? repositories[repoId] : undefined;
  if (repository !== undefined) return existingFolder(repository);
  const known =
    Object.keys(repositories)
      .map((id) => JSON.stringify(id))
      .join(', ') || 'none';
  throw new SemoError(
    'repository_unknown',
    `This host has no repository ${JSON.stringify(repoId)}. It knows: ${known}.`,
    { details: { repoId } },
  );
}

async function assignResolved(
  { worktree }: ResolvedWorkspace,
  { workspace, sessionId, role, announce, assignment }: AssignmentRequest,
): Promise<ResolvedWorkspace> {
  if (workspace.kind !== 'slot' || worktree === null)
    throw new SemoError('not_supported', 'Only a slot can be given a job.');
  const { branch, base, retain, taskId = sessionId } = assignment;
  const folder = assignment.role ?? workspace.role ?? folderName(role);
  const link = join(worktree.root, 'agent', folder, taskId);
  const tell = async (next: MadeWorktree): Promise<void> => announce?.(next);
  const assigned = await assignSlot({ worktree, branch, base, retain, link, announce: tell });
  return { info: infoOf(assigned, workspace.repoId), worktree: assigned };
}

function infoOf({ path, branch, link }: MadeWorktree, repoId: string): WorkspaceInfo {
  return {
    kind: 'git',
    path,
    ...(branch === null ? {} : { branch }),
    repoId,
    ...(link === null ? {} : { link }),
  };
}

/** A name for people may hold anything, also a way out of the root. */
function folderName(role = ''): string {
  return (
    role
      .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
      .replace(/^[-_]+/, '')
      .slice(0, 64) || 'agent'
  );
}

async function existingFolder(path: string): Promise<string> {
  const details = { path };
  if (!isAbsolute(path))
    throw new SemoError(
      'workspace_not_found',
      `The workspace ${JSON.stringify(path)} is not absolute. Give the whole path.`,
      { details },
    );
  const real = await realpath(path).catch((cause: unknown) => {
    throw new SemoError(
      'workspace_not_found',
      `There is no folder ${path} on this host. Make it first, or check the path.`,
      { details, cause },
    );
  });
  if (!(await stat(real)).isDirectory())
    throw new SemoError(
      'workspace_not_directory',
      `${path} is not a folder. Give the folder the agent should work in.`,
      { details },
    );
  return real;
}

async function checkConfined(path: string, allowedRoots: readonly string[]): Promise<void> {
  for (const allowed of allowedRoots) {
    // A root that does not exist allows nothing.
    const root = await realpath(allowed).catch(() => null);
    if (root !== null && (path === root || path.startsWith(root.endsWith(sep) ? root : root + sep))) return;
  }
  throw new SemoError(
    'workspace_forbidden',
    `This host does not let agents work in ${path}. Use a folder inside one of its allowed roots.`,
    { details: { path } },
  );
}
