import type { CliIo } from './cli-io.ts';
import { hostCommand } from './commands/host.ts';
import { hostTokenCommand } from './commands/host-token.ts';
import { initCommand } from './commands/init.ts';
import { runCommand } from './commands/run.ts';
import { HELP } from './usage.ts';

/** Runs the `semo` command; resolves with its exit status. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const [command, ...rest] = argv;
  if (command === undefined || command === 'help' || wantsHelp(argv)) {
    io.stdout(HELP);
    return command === undefined ? 2 : 0;
  }
  if (command === 'run') return runCommand(rest, io);
  if (command === 'host' && rest[0] === 'token') return hostTokenCommand(rest.slice(1), io);
  if (command === 'init') return initCommand(rest, io);
  if (command === 'host') return hostCommand(rest, io);
  io.stderr(`There is no command ${JSON.stringify(command)}. Try: semo --help\n`);
  return 2;
}

/** What comes later in `semo run` may be somebody's prompt, and behind `--` it is another program's. */
function wantsHelp(argv: readonly string[]): boolean {
  const end = argv[0] === 'run' ? 2 : argv.indexOf('--');
  const own = argv.slice(0, end === -1 ? argv.length : end);
  return own.some((word) => word === '--help' || word === '-h');
}
