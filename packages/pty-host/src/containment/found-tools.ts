import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';

import { findProgram } from '../program-path.ts';
import { pidNamespaceCommand, type PidNamespaceTools } from './pid-namespace.ts';
import { sandboxCommand, type SandboxTools } from './sandbox.ts';
import { PID_INSIDE, type ShieldTools } from './shielded-command.ts';

const PROBE_TIMEOUT_MS = 10_000;
const USUAL_FOLDERS = ['/usr/bin', '/bin', '/usr/local/bin'];

/** Something this machine has, or why not and what would help, in a sentence. */
export type Found<Tools> = { readonly tools: Tools } | { readonly missing: string };

/** What this machine can contain a session with. */
export interface FoundTools {
  readonly pidNamespace: Found<PidNamespaceTools>;
  readonly sandbox: Found<SandboxTools>;
}

/**
 * Finds out by trying, not by looking: kernels, containers and security modules forbid namespaces in many ways.
 * @param path - Where programs are looked for.
 */
export async function findTools(path: string): Promise<FoundTools> {
  const folders = [...path.split(delimiter), ...USUAL_FOLDERS];
  const find = (name: string): string | null => findProgram(name, folders);
  const shield = findShield(find);
  if ('missing' in shield) return { pidNamespace: shield, sandbox: shield };
  const [pidNamespace, sandbox] = await Promise.all([
    tryPidNamespace(shield.tools, find('unshare')),
    trySandbox(shield.tools, find('bwrap')),
  ]);
  return { pidNamespace, sandbox };
}

/** {@link findTools}, once in the life of this process for each path. */
export function toolsOfThisHost(path: string): Promise<FoundTools> {
  const known = found.get(path) ?? findTools(path);
  found.set(path, known);
  return known;
}

const found = new Map<string, Promise<FoundTools>>();

function findShield(find: (name: string) => string | null): Found<ShieldTools> {
  if (process.platform !== 'linux') return { missing: 'Only Linux has namespaces.' };
  const bash = find('bash');
  const env = find('env');
  if (bash === null || env === null) return { missing: 'It takes bash and env: install bash and coreutils.' };
  return { tools: { bash, env } };
}

async function tryPidNamespace(shield: ShieldTools, unshare: string | null): Promise<Found<PidNamespaceTools>> {
  if (unshare === null) return { missing: 'unshare was not found: install util-linux.' };
  let refusal = '';
  for (const userNamespace of process.getuid?.() === 0 ? [false, true] : [true]) {
    const tools = { ...shield, unshare, userNamespace };
    const words = await tryCommand(pidNamespaceCommand(tools, askForPid(shield), undefined));
    if (words === null) return { tools };
    refusal ||= words;
  }
  return {
    missing: `unshare could not make a namespace here (${refusal}). The kernel must allow namespaces of users, and coreutils be 8.31 or newer.`,
  };
}

async function trySandbox(shield: ShieldTools, bwrap: string | null): Promise<Found<SandboxTools>> {
  if (bwrap === null) return { missing: 'bwrap was not found: install bubblewrap.' };
  const tools = { ...shield, bwrap };
  const view = { places: [], folder: '/', network: 'host' } as const;
  const words = await tryCommand(sandboxCommand({ tools, view, agent: askForPid(shield), locale: undefined }));
  if (words === null) return { tools };
  return {
    missing: `bwrap could not make a sandbox here (${words}). The kernel must allow namespaces of users, and coreutils be 8.31 or newer.`,
  };
}

/** Succeeds only as the process that an agent would be. */
function askForPid({ bash }: ShieldTools): string[] {
  return [bash, '--noprofile', '--norc', '-c', `test "$$" = ${PID_INSIDE} && test -e /proc/$$`];
}

/** `null` when the command succeeds, else what it said. */
function tryCommand([program = '', ...args]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { env: {}, cwd: '/', timeout: PROBE_TIMEOUT_MS }, (error, _stdout, stderr) => {
      resolve(error === null ? null : stderr.trim().split('\n')[0] || 'no reason was given');
    });
  });
}
