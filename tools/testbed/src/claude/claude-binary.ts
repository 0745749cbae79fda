import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The native binary of the Claude Code CLI this repository is developed against.
 * @throws Error when the dev dependency is not installed.
 * @example spawn(claudeBinary(), ['--version'])
 */
export function claudeBinary(): string {
  const manifest = createRequire(import.meta.url).resolve('@anthropic-ai/claude-code/package.json');
  const binary = join(dirname(manifest), 'bin', 'claude.exe');
  if (!existsSync(binary))
    throw new Error(`${binary} is missing: its install script has not run. Run \`npm ci\` again.`);
  return binary;
}
