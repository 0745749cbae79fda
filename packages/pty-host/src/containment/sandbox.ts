import { assertNever } from '@semo-office/core';

import { shieldedCommand, type ShieldTools } from './shielded-command.ts';

/** What a sandbox is made with here. */
export interface SandboxTools extends ShieldTools {
  /** bubblewrap. */
  readonly bwrap: string;
}

/** What becomes of one path in a sandbox: empty and its own, to be read, or to be written. Paths are absolute and real. */
export interface SandboxPlace {
  readonly path: string;
  readonly as: 'hidden' | 'readable' | 'writable';
}

/** What a sandbox shows. Everything that no place speaks of can be read. */
export interface SandboxView {
  readonly places: readonly SandboxPlace[];
  readonly folder: string;
  readonly network: 'host' | 'none';
}

/** Root without its powers: it could undo all of this otherwise. */
const NOT_EVEN_ROOT = ['--cap-drop', 'ALL'];
const SYSTEM = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'];

/**
 * The arguments of bubblewrap for a view. An inner place counts more than the one around it, and of two words for the
 * same place the later one.
 */
export function sandboxArguments({ places, folder, network }: SandboxView): string[] {
  const last = new Map(places.map((place) => [place.path, place]));
  const inward = [...last.values()].sort((a, b) => depth(a.path) - depth(b.path));
  return [
    '--die-with-parent',
    '--unshare-pid',
    '--unshare-ipc',
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...NOT_EVEN_ROOT,
    ...SYSTEM,
    ...inward.flatMap(mount),
    '--chdir',
    folder,
  ];
}

/** The command that runs an agent in a sandbox. */
export function sandboxCommand({
  tools,
  view,
  agent,
  locale,
}: {
  readonly tools: SandboxTools;
  readonly view: SandboxView;
  readonly agent: readonly string[];
  readonly locale: string | undefined;
}): string[] {
  return shieldedCommand({ tools, enter: [tools.bwrap, ...sandboxArguments(view), '--'], agent, locale });
}

function mount({ path, as }: SandboxPlace): string[] {
  switch (as) {
    case 'hidden':
      return ['--tmpfs', path];
    case 'readable':
      return ['--ro-bind', path, path];
    case 'writable':
      return ['--bind', path, path];
    default:
      return assertNever(as);
  }
}

function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length;
}
