/** What a process was started with, from what the system shows of it; `null` where it shows nothing. */
export function startedWith(environment: Uint8Array | null): Readonly<Record<string, string>> | null {
  if (environment === null || environment.length === 0) return null;
  const entries = Buffer.from(environment).toString('utf8').split('\0');
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const at = entry.indexOf('=');
      return at < 1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
    }),
  );
}
