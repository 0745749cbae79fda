/** Marks a branch that no member of a union reaches; the compiler complains when one does. */
export function assertNever(value: never): never {
  throw new Error(`Not a known case: ${JSON.stringify(value)}`);
}
