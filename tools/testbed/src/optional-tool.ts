import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that some tests need and that not every machine has. */
export interface OptionalTool {
  /** Where it is; `null` when it is not installed. */
  readonly path: string | null;
  /** Why tests that need it are skipped, for their titles; empty when it is there. */
  readonly reason: string;
}

/** The variable that names, with commas between, the tools whose absence is a failure and not a reason to skip. */
const REQUIRED_TOOLS_VARIABLE = 'SEMO_REQUIRE';

/**
 * Looks for a program on the `PATH`. Tests that need it are skipped where it is absent, and say so in their title; with
 * the tool named in `SEMO_REQUIRE`, as continuous integration does, its absence fails instead.
 *
 * @throws Error when the tool is absent and required.
 * @example
 * ```ts
 * const tmux = optionalTool('tmux');
 * describe.skipIf(tmux.path === null)(`terminals in tmux${tmux.reason}`, () => {});
 * ```
 */
export function optionalTool(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): OptionalTool {
  const path = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (path !== undefined) return { path, reason: '' };
  const required = (env[REQUIRED_TOOLS_VARIABLE] ?? '').split(',').map((word) => word.trim());
  if (required.includes(name)) {
    throw new Error(`${name} is not installed, and ${REQUIRED_TOOLS_VARIABLE} says that it must be.`);
  }
  return { path: null, reason: ` (skipped: ${name} is not installed)` };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
