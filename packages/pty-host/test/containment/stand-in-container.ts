/**
 * What a command for containers does, without one: a namespace of its own, an empty environment but for the variables whose
 * names the file lists, and then the agent. `$1` is the file, the rest the agent's command.
 */
const SCRIPT = [
  'set -e; file=$1; shift',
  'args=(); while IFS= read -r name; do args+=("$name=${!name}"); done < "$file"',
  'exec env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/ SHELL_OF=container "${args[@]}" "$@"',
].join('\n');

/** A host's command for containers, for tests. */
export function containerScript(): string[] {
  const init = ['bash', '-c', 'exec 3>&2 2>/dev/null; "$@" 2>&3 3>&-; exit $?', 'init'];
  const signals = ['env', '--ignore-signal=INT', '--ignore-signal=TERM'];
  const back = ['env', '--default-signal=INT', '--default-signal=TERM'];
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const unshare = ['unshare', ...user, '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
  return [...signals, ...unshare, ...init, ...back, 'bash', '-c', SCRIPT, 'container', '{env-file}'];
}
