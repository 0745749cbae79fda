import { execFile } from 'node:child_process';
import { realpath, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { SemoError } from '@semo-office/core';

const run = promisify(execFile);

/** The oldest version whose hooks and dialogs this driver was tested on. */
const OLDEST = [2, 1, 197] as const;
/** The first version that is not expected to behave the same. */
const TOO_NEW_MAJOR = 3;
const PROBE_TIMEOUT_MS = 30_000;

// A version belongs to a file, so that replacing the file asks again.
const known = new Map<string, string>();

/**
 * Asks a Claude Code binary for its version, once per file.
 *
 * @throws SemoError `agent_version_unsupported`, `agent_start_failed`.
 */
export async function probeClaudeVersion(binary: string, env: Readonly<Record<string, string>>): Promise<string> {
  const file = await realpath(binary);
  const { mtimeMs, size } = await stat(file);
  const key = `${file}\0${mtimeMs}\0${size}`;
  const version = known.get(key) ?? (await askVersion(binary, env));
  known.set(key, version);
  return version;
}

async function askVersion(binary: string, env: Readonly<Record<string, string>>): Promise<string> {
  try {
    const { stdout } = await run(binary, ['--version'], {
      env: { ...env },
      timeout: PROBE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return supportedVersion(stdout, binary);
  } catch (error) {
    if (error instanceof SemoError) throw error;
    throw new SemoError(
      'agent_start_failed',
      `${binary} --version failed. Check that it is Claude Code and runs by hand.`,
      { cause: error },
    );
  }
}

/** The version in what `claude --version` prints. @throws SemoError `agent_version_unsupported`. */
export function supportedVersion(printed: string, binary: string): string {
  const [version, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(printed) ?? [];
  const range = `${OLDEST.join('.')} or later, below ${TOO_NEW_MAJOR}.0.0`;
  if (version === undefined) {
    const said = JSON.stringify(printed.trim().slice(0, 100));
    throw new SemoError(
      'agent_version_unsupported',
      `${binary} does not say which Claude Code it is (it said ${said}). Install version ${range}.`,
    );
  }
  const numbers = [Number(major), Number(minor), Number(patch)];
  if (isBefore(numbers, OLDEST) || Number(major) >= TOO_NEW_MAJOR) {
    throw new SemoError(
      'agent_version_unsupported',
      `Claude Code ${version} is not supported: this driver knows ${range}. Install such a version, or set SEMO_CLAUDE_BIN to one.`,
      {
        details: { version },
      },
    );
  }
  return version;
}

/** Whether a version, as {@link probeClaudeVersion} gives it, came before another. */
export function isVersionBefore(version: string, other: string): boolean {
  return isBefore(version.split('.').map(Number), other.split('.').map(Number));
}

function isBefore(left: readonly number[], right: readonly number[]): boolean {
  const index = left.findIndex((part, position) => part !== right[position]);
  return index !== -1 && (left[index] ?? 0) < (right[index] ?? 0);
}
