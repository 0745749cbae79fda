import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The longest line a terminal in line mode hands on: the kernel's buffer of 4 096 bytes less the line end (n_tty). */
export const MAX_LINE_BYTES = 4095;

/** `line`: the terminal collects lines and acts on control characters; `raw`: every byte reaches the program at once. */
export type TerminalMode = 'line' | 'raw';

/** The mode a terminal is in now. A terminal nobody can ask about is taken to be as terminals begin: in line mode. */
export async function readTerminalMode(device: string): Promise<TerminalMode> {
  const flag = process.platform === 'darwin' ? '-f' : '-F';
  try {
    const { stdout } = await run('stty', [flag, device, '-a'], {
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
    });
    return /(^|\s)-icanon(\s|;|$)/.test(stdout) ? 'raw' : 'line';
  } catch {
    return 'line';
  }
}

/** Makes control characters reach the program as they are: Ctrl+V takes the next one literally (termios, `lnext`). */
export function quoteForLineMode(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/[\u0001-\u0008\u000b-\u001f\u007f]/g, (character) => `\u0016${character}`);
}
