import { join } from 'node:path';

import type { GitFolders } from './git-folders.ts';
import { isInside, realPaths } from './real-paths.ts';
import { hiddenPrograms } from './sandbox-programs.ts';
import type { SandboxPlace, SandboxView } from './sandbox.ts';

/** Homes with their secrets, files of other programs, and the sockets of services. */
const ALWAYS_HIDDEN = ['/home', '/root', '/tmp', '/var/tmp', '/run', '/var/run'];
/** What git reads of a home. Never its credentials. */
const GIT_SETTINGS = ['.gitconfig', '.config/git/config', '.config/git/ignore', '.config/git/attributes'];
/** Where certificates may be named. */
const CERTIFICATES = ['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'];
/** Below what is hidden, and needed to resolve names and, on some systems, to run anything. */
const SYSTEM = ['/etc/resolv.conf', '/run/current-system', '/run/opengl-driver'];

/** What a sandbox's view is made from. All paths are real ones. */
export interface SandboxWish {
  readonly folder: string;
  readonly git: GitFolders;
  /** The session's private folders, and others that its driver needs to write. */
  readonly own: readonly string[];
  /** The homes of the agent and of the host's user, which are hidden. */
  readonly homes: readonly string[];
  /** Folders of the host that a session may see its own part of at most. */
  readonly hidden: readonly string[];
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly network: 'host' | 'none';
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Looks at this machine's disk for what an agent needs to see and to change. */
export async function sandboxView(wish: SandboxWish): Promise<SandboxView> {
  const { folder, git, env, network, program } = wish;
  const own = await realPaths(wish.own);
  const closed = await realPaths(wish.hidden);
  const homes = await realPaths(wish.homes);
  const hidden = (await realPaths([...ALWAYS_HIDDEN, ...homes, ...closed])).filter((path) => path !== '/');
  const needed = await realPaths([
    ...SYSTEM,
    ...homes.flatMap((home) => GIT_SETTINGS.map((name) => join(home, name))),
    ...CERTIFICATES.flatMap((name) => env[name] ?? []),
  ]);
  const programs = await hiddenPrograms({ program, path: env['PATH'] ?? '', hidden });
  // What is the session's own is not to be read only because a program of it lies there.
  const isOwn = (path: string): boolean => [folder, ...own].some((each) => isInside(path, each));
  const common = git.common === null || isInside(git.common, folder) ? [] : [git.common];
  return {
    folder,
    network,
    places: [
      ...asPlaces(hidden, 'hidden'),
      ...asPlaces(
        [...needed, ...programs].filter((path) => !hidden.includes(path) && !isOwn(path)),
        'readable',
      ),
      ...asPlaces(wish.readable, 'readable'),
      // Whatever else was asked for.
      ...asPlaces(closed, 'hidden'),
      ...asPlaces([...wish.writable, ...common, folder, ...own], 'writable'),
      ...asPlaces(git.readOnly, 'readable'),
    ],
  };
}

function asPlaces(paths: readonly string[], as: SandboxPlace['as']): SandboxPlace[] {
  return paths.map((path) => ({ path, as }));
}
