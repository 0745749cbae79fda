import { dirname, resolve } from 'node:path';
import { CONTAINMENT_LEVELS, SemoError, type ContainmentLevel, type PtySessionManagerOptions } from 'semo-office';

import type { CliIo } from '../cli-io.ts';
import { SUPABASE_OPTIONS, parseHostOptions, type HostOptions } from './host-options.ts';
import { supabasePlace, type SupabasePlace } from './supabase-place.ts';

/** Where a host meets its office. */
export type HostPlace = { readonly kind: 'socket'; readonly path: string } | SupabasePlace;

/** What `semo host` was asked for. */
export interface HostRequest {
  readonly place: HostPlace;
  readonly sessions: PtySessionManagerOptions;
}

/** Reads the arguments of `semo host`. @throws SemoError `invalid_argument`. */
export function readHostArguments(argv: readonly string[], io: Pick<CliIo, 'cwd' | 'env'>): HostRequest {
  const options = parseHostOptions(argv);
  const place = hostPlace(options, io);
  return { place, sessions: sessionOptions(options, { cwd: io.cwd, hidden: secretFolders(place) }) };
}

/**
 * The folders of the host's own secrets, which no sandbox shows. A file that is hidden alone comes to light when it is replaced.
 * What lies in `/` or right below it is a folder that agents cannot do without.
 */
function secretFolders(place: HostPlace): string[] {
  if (place.kind !== 'supabase') return [];
  const folders = [place.key.file, place.token.file].flatMap((file) => (file === null ? [] : [dirname(file)]));
  return folders.filter((folder) => dirname(folder) !== dirname(dirname(folder)));
}

function hostPlace(options: HostOptions, io: Pick<CliIo, 'cwd' | 'env'>): HostPlace {
  const { socket, 'supabase-url': url } = options;
  if ((socket === undefined) === (url === undefined))
    throw new SemoError(
      'invalid_argument',
      'Say whom to serve: semo host --socket PATH, or semo host --supabase-url URL --office ID --host-id ID.',
    );
  if (url !== undefined) return supabasePlace(options, io);
  const stray = SUPABASE_OPTIONS.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw new SemoError('invalid_argument', `--${stray} goes with --supabase-url.`);
  return { kind: 'socket', path: resolve(io.cwd, socket ?? '') };
}

function sessionOptions(
  { root, repo, worktrees, containment, terminal }: HostOptions,
  { cwd, hidden }: { readonly cwd: string; readonly hidden: readonly string[] },
): PtySessionManagerOptions {
  const repositories = (repo ?? []).map((entry) => {
    const at = entry.indexOf('=');
    if (at < 1) throw new SemoError('invalid_argument', `--repo takes ID=PATH, not ${JSON.stringify(entry)}.`);
    return [entry.slice(0, at), resolve(cwd, entry.slice(at + 1))];
  });
  return {
    repositories: Object.fromEntries(repositories) as Record<string, string>,
    ...(root === undefined ? {} : { allowedRoots: root.map((folder) => resolve(cwd, folder)) }),
    containment: { hidden, ...(containment === undefined ? {} : { default: level(containment) }) },
    ...(terminal === undefined ? {} : { terminal: terminalKind(terminal) }),
    ...(worktrees === undefined ? {} : { worktreeRoot: resolve(cwd, worktrees) }),
  };
}

function level(name: string): 'best' | ContainmentLevel {
  const known = ['best', ...CONTAINMENT_LEVELS] as const;
  const found = known.find((each) => each === name);
  if (found !== undefined) return found;
  throw new SemoError('invalid_argument', `--containment is one of ${known.join(', ')}, not ${JSON.stringify(name)}.`);
}

function terminalKind(name: string): 'pty' | 'tmux' {
  if (name === 'pty' || name === 'tmux') return name;
  throw new SemoError('invalid_argument', `--terminal is pty or tmux, not ${JSON.stringify(name)}.`);
}
