import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { TERMINALS, openCommand, openShell } from './opened-terminal.ts';

/** What went wrong behind everybody's back while a test ran. */
function unheardErrors(): unknown[] {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  process.on('unhandledRejection', onError);
  process.on('uncaughtExceptionMonitor', onError);
  const console_ = vi.spyOn(console, 'error').mockImplementation(onError);
  onTestFinished(() => {
    process.off('unhandledRejection', onError);
    process.off('uncaughtExceptionMonitor', onError);
    console_.mockRestore();
  });
  return errors;
}

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

describe.each(TERMINALS)('$name', ({ name, open, absent = false }) => {
  beforeEach(({ skip }) => skip(absent));
  const isTerminal = name !== 'pipes';
  // tmux may lose what a program prints in the moment it ends (docs/tmux.md); one that lives a little longer loses nothing.
  const lingerMs = name.startsWith('tmux') ? 200 : 0;
  const linger = `sleep ${lingerMs / 1000}`;
  const nodeEnv = { PATH: process.env['PATH'] ?? '' };

  it.each([
    { script: 'exit 0', exit: { code: 0, signal: null } },
    { script: 'exit 7', exit: { code: 7, signal: null } },
    { script: 'kill -9 $$', exit: { code: null, signal: 'SIGKILL' } },
  ])('tells how the process ended: $script', async ({ script, exit }) => {
    await using opened = await openShell(script, { open });
    expect(await opened.exited).toEqual(exit);
  });

  it('has told every byte before it tells the end', async () => {
    const size = 1_000_000;
    const script = `process.stdout.write('x'.repeat(${size - 4}) + 'end.', () => setTimeout(() => {}, ${lingerMs}))`;
    await using opened = await openCommand([process.execPath, '-e', script], { open, env: nodeEnv });
    await opened.exited;
    expect(opened.bytes().length).toBe(size);
    expect(opened.bytes().subarray(-4).toString()).toBe('end.');
    await turnOfTheLoop();
    expect({ exits: opened.exits(), bytes: opened.bytes().length }).toEqual({ exits: 1, bytes: size });
  });

  it('holds a flood back while it is paused, and loses none of it', async () => {
    const script = `process.stdout.write('x'.repeat(1_000_000), () => setTimeout(() => process.exit(), ${lingerMs}))`;
    await using opened = await openCommand([process.execPath, '-e', script], { open, env: nodeEnv });
    await opened.until('x');
    opened.terminal.pause();
    for (let turn = 0; turn < 100; turn += 1) await turnOfTheLoop();
    expect(opened.bytes().length).toBeLessThan(1_000_000);
    opened.terminal.resume();
    await opened.exited;
    expect(opened.bytes().length).toBe(1_000_000);
  });

  it('delivers 100 kB to a reader that takes its time, byte for byte and in order', async () => {
    await using folder = await temporaryFolder('semo-terminal-');
    const lines = Array.from({ length: 1000 }, (_, line) => `${line} 한국어 🙂 ${'abcdefghi '.repeat(9)}`).join('\n');
    const ready = isTerminal ? 'stty -echo; ' : '';
    await using opened = await openShell(`${ready}echo ready; sleep 0.2; exec cat > out`, { open, cwd: folder.path });
    await opened.until('ready');
    const [first, second] = [opened.terminal.write(`${lines}\n`), opened.terminal.write(Buffer.from('last\n'))];
    await Promise.all([first, second]);
    if (isTerminal) await opened.terminal.write('\x04');
    else opened.terminal.endInput();
    await opened.exited;
    await using copy = await openShell('cat out', { open: TERMINALS[1]!.open, cwd: folder.path });
    await copy.exited;
    expect(copy.bytes().equals(Buffer.from(`${lines}\nlast\n`))).toBe(true);
  });

  it('refuses what is typed at a process that is gone, and lets nothing go unheard', async () => {
    const errors = unheardErrors();
    await using opened = await openShell('exit 0', { open });
    await opened.exited;
    await expect(opened.terminal.write('too late')).rejects.toMatchObject({ code: 'session_terminated' });
    opened.terminal.endInput();
    opened.terminal.resize({ cols: 100, rows: 30 });
    opened.terminal.close();
    await turnOfTheLoop();
    expect(errors).toEqual([]);
  });

  it('fails what is still to be typed when the process goes', async () => {
    const errors = unheardErrors();
    await using opened = await openShell(`${isTerminal ? 'stty raw -echo; ' : ''}echo ready; read -r line; exit 0`, {
      open,
    });
    await opened.until('ready');
    // More than any buffer takes: it is in the middle when the reader leaves.
    const writing = opened.terminal.write('x'.repeat(4_000_000));
    await Promise.all([
      expect(writing).rejects.toMatchObject({ code: 'session_terminated' }),
      killLater(opened.terminal.pid),
    ]);
    await opened.exited;
    await turnOfTheLoop();
    expect(errors).toEqual([]);
  });

  it('lets go of a terminal whose process lives on in a descendant', async () => {
    // Ignored before there is a descendant: the hang-up follows the shell's end at once.
    await using opened = await openShell(`trap '' HUP; sleep 30 & echo "$!."; read -r go; exit 3`, { open });
    await opened.until('.');
    await opened.terminal.write('go\n');
    expect(await opened.exited).toEqual({ code: 3, signal: null });
    const pid = Number(/\d+/.exec(opened.bytes().toString())?.[0]);
    process.kill(pid, 'SIGKILL');
    opened.terminal.close();
  });

  it('gives the process the environment it is given and no other', async () => {
    vi.stubEnv('SEMO_TEST_SECRET', 'of the host');
    onTestFinished(() => void vi.unstubAllEnvs());
    await using opened = await openShell(`env; ${linger}; exit 0`, {
      open,
      env: { PATH: '/usr/bin:/bin', GIVEN: 'yes' },
    });
    await opened.exited;
    const text = opened.bytes().toString();
    expect(text).toContain('GIVEN=yes');
    expect(text).not.toContain('SEMO_TEST_SECRET');
  });

  it('starts the process as leader of a group and session of its own', async () => {
    await using opened = await openShell(`ps -o pid=,pgid=,sid= -p $$; ${linger}; exit 0`, { open });
    await opened.exited;
    const pid = String(opened.terminal.pid);
    expect(opened.bytes().toString().trim().split(/\s+/)).toEqual([pid, pid, pid]);
  });

  it('says so when nothing can be started', async () => {
    await using folder = await temporaryFolder('semo-terminal-');
    const broken = join(folder.path, 'broken');
    await writeFile(broken, '#!/no/such/interpreter\n', { mode: 0o755 });
    await using opened = await openCommand([broken], { open });
    // Something is started in any case, to close what is not the program's; its end says that there was no program.
    expect(await opened.exited).not.toEqual({ code: 0, signal: null });
  });

  it('says so when the folder is not there', async () => {
    const attempt = async () => {
      await using opened = await openShell('exit 0', { open, cwd: '/no/such/folder' });
      return await opened.exited;
    };
    const outcome = await attempt().catch((error: unknown) => error);
    expect(outcome).not.toEqual({ code: 0, signal: null });
  });

  it('leaves the locale as it is given, and says nothing of one that the machine lacks', async () => {
    const lines = "Object.entries(process.env).map((one) => one.join('=')).join('\\n')";
    const program = [process.execPath, '-e', `process.stdout.write(${lines}, () => setTimeout(() => {}, ${lingerMs}))`];
    for (const LC_ALL of ['C.UTF-8', 'xx_XX.UTF-8']) {
      await using opened = await openCommand(program, { open, env: { PATH: '/usr/bin:/bin', LC_ALL } });
      await opened.exited;
      expect(opened.bytes().toString()).toContain(`LC_ALL=${LC_ALL}`);
      expect(opened.bytes().toString()).not.toContain('warning');
    }
    await using without = await openCommand(program, { open, env: { PATH: '/usr/bin:/bin' } });
    await without.exited;
    expect(without.bytes().toString()).toContain('PATH=');
    expect(without.bytes().toString()).not.toContain('LC_ALL');
  });
});

/** Ends a process once what was begun before has had its turn. */
async function killLater(pid: number): Promise<void> {
  await turnOfTheLoop();
  process.kill(pid, 'SIGKILL');
}
