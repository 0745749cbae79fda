/** How a program is started. */
export interface ProgramStart {
  readonly args: readonly string[];
  /** Names of environment variables. */
  readonly variables: readonly string[];
}

/** What only the first of two starts has: its flags, and the names of its variables. */
export function onlyIn(one: ProgramStart, other: ProgramStart): string {
  const theirs = new Set([...flags(other), ...other.variables]);
  const own = [...flags(one), ...one.variables].filter((word) => !theirs.has(word));
  return own.length === 0 ? 'nothing' : own.join(', ');
}

/** Each flag with its value, however they were joined; a path is some file of its own. */
function flags({ args }: ProgramStart): string[] {
  const joined: string[] = [];
  for (const word of args) {
    if (word.startsWith('-')) joined.push(word);
    else joined.push(`${joined.pop() ?? ''}=${word}`);
  }
  return joined.map((flag) => flag.replace(/=\/.*/, '=FILE'));
}
