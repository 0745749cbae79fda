#!/usr/bin/env node
// Before anything else loads: what an old Node says of new syntax helps nobody.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `semo needs Node.js 22.13 or newer; this is ${process.versions.node}. Install a newer one and try again.\n`,
  );
  process.exitCode = 2;
} else {
  const { main, processIo } = await import('./index.ts');
  process.exitCode = await main(process.argv.slice(2), processIo());
  // Supabase's client would keep a host for some seconds after all is closed.
  if (process.argv[2] === 'host') process.stdout.write('', () => process.exit());
}
