import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { SemoError, type AgentSpec } from '@semo-office/core';
import { z } from 'zod';

import type { AgentDriver, Launch, LaunchContext } from '../agent-driver.ts';
import { findExecutable } from '../executable.ts';
import { ShellAgent } from './shell-agent.ts';
import { SHELL_NAMES, writeShellRc, type ShellName } from './shell-rc.ts';

const run = promisify(execFile);

/** The first bash that prints a mark before a command (`PS0`) and has bracketed paste. macOS still comes with 3.2. */
const OLDEST_BASH = [4, 4] as const;
const PROBE_TIMEOUT_MS = 10_000;

const keepsakeSchema = z.object({ nonce: z.string() });

type ShellSpec = Extract<AgentSpec, { kind: 'shell' }>;

/**
 * Drives an interactive shell: a prompt is a command line, or several. The shell itself marks where a command begins and
 * ends (OSC 133), with its exit status.
 */
export function createShellDriver(): AgentDriver {
  return {
    kind: 'shell',
    async prepare(context) {
      const { shell = 'bash', useUserRc = false } = context.spec.agent as ShellSpec;
      const name = shellName(shell);
      const program = await findExecutable({
        name: shell,
        path: context.baseEnv['PATH'] ?? '',
        folder: context.folder,
        hint: 'Give the path of the shell, or put its folder on the PATH.',
      });
      const version = await probeVersion({ name, program, context });
      const nonce = randomBytes(12).toString('hex');
      const { args, env } = await writeShellRc({ name, folder: context.folders.config, nonce, useUserRc });
      return {
        ...shellTraits(nonce, version),
        command: [program, ...args],
        env: { ...context.baseEnv, TMPDIR: context.folders.tmp, ...env },
      };
    },
    async takeUp({ keepsake, version, baseEnv }) {
      const { nonce } = keepsakeSchema.parse(keepsake);
      return { ...shellTraits(nonce, version), command: [], env: baseEnv };
    },
  };
}

/** What a running shell is spoken with by. */
function shellTraits(nonce: string, version: string | null): Omit<Launch, 'command' | 'env'> {
  const keepsake: z.output<typeof keepsakeSchema> = { nonce };
  return {
    over: 'terminal',
    version,
    configHome: null,
    keepsake,
    monitor: { sources: ['exit', 'shell_mark'], exitMeans: 'status' },
    attach: (io) => new ShellAgent({ io, nonce }),
    dispose: () => Promise.resolve(),
  };
}

function shellName(shell: string): ShellName {
  const name = SHELL_NAMES.find((known) => known === basename(shell));
  if (name !== undefined) return name;
  throw new SemoError(
    'invalid_argument',
    `${JSON.stringify(shell)} is no shell we can follow. Known: ${SHELL_NAMES.join(', ')}, or the path of one called so.`,
  );
}

async function probeVersion({
  name,
  program,
  context: { baseEnv, signal },
}: {
  name: ShellName;
  program: string;
  context: LaunchContext;
}): Promise<string> {
  const variable = name === 'bash' ? 'BASH_VERSION' : 'ZSH_VERSION';
  const args = name === 'bash' ? ['--norc', '--noprofile'] : ['-f'];
  const { stdout } = await run(program, [...args, '-c', `printf %s "$${variable}"`], {
    env: { PATH: baseEnv['PATH'] ?? '', LC_ALL: 'C' },
    timeout: PROBE_TIMEOUT_MS,
    signal,
  }).catch((error: unknown) => {
    throw new SemoError('agent_start_failed', `${program} did not tell its version.`, { cause: error });
  });
  const [major = 0, minor = 0] = stdout.split('.').map((part) => Number.parseInt(part, 10));
  const tooOld = major < OLDEST_BASH[0] || (major === OLDEST_BASH[0] && minor < OLDEST_BASH[1]);
  if (name === 'bash' && tooOld) {
    throw new SemoError(
      'agent_version_unsupported',
      `${program} is bash ${stdout || 'of an unknown version'}; ${OLDEST_BASH.join('.')} or newer is needed. Name another with \`shell\`.`,
    );
  }
  return stdout;
}
