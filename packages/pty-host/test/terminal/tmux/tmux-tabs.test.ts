import { readdir } from 'node:fs/promises';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createTmuxTabs, type TmuxTabs } from '../../../src/index.ts';
import { TMUX, askTmux } from './tmux-stage.ts';

async function stage(): Promise<{ tabs: TmuxTabs; folder: string }> {
  const state = await temporaryFolder('semo-tabs-');
  const tabs = await createTmuxTabs({ stateDir: state.path });
  onTestFinished(async () => {
    await tabs.close();
    // Nothing is left in it: no socket, no output.
    expect(await readdir(state.path)).toEqual([]);
    await state[Symbol.asyncDispose]();
  });
  return { tabs, folder: state.path };
}

const shows = (tabs: TmuxTabs, tab: string, text: string) =>
  vi.waitFor(async () => {
    const slice = await tabs.getOutput(tab);
    expect(slice.as === 'text' ? slice.text : '').toContain(text);
  }, 10_000);

describe.skipIf(TMUX.path === null)(`tabs in tmux${TMUX.reason}`, () => {
  it('are created, typed into, read and closed', async () => {
    const { tabs } = await stage();
    const tab = await tabs.createTab({ command: ['/bin/bash', '--norc', '-i'] });
    await shows(tabs, tab, 'bash-');
    await tabs.sendText(tab, 'echo $((20 + 22)) 한글\r');
    await shows(tabs, tab, '42 한글');
    await tabs.sendText(tab, 'echo by namex');
    await tabs.sendKeystrokes(tab, ['Backspace', 'Enter', 'Up', 'Enter']);
    await vi.waitFor(async () => {
      const slice = await tabs.getOutput(tab);
      expect(slice.as === 'text' ? slice.text.match(/^by name$/gm) : null).toHaveLength(2);
    }, 10_000);
    await tabs.sendText(tab, 'exit 3\r');
    expect(await tabs.waitForExit(tab)).toEqual({ code: 3, signal: null });
    await shows(tabs, tab, 'exit');
    await expect(tabs.sendText(tab, 'late')).rejects.toMatchObject({ code: 'session_terminated' });
    await tabs.closeTab(tab);
    await tabs.closeTab(tab);
    await expect(tabs.getOutput(tab)).rejects.toMatchObject({ code: 'session_unknown' });
  });

  it('are windows of one session, named and sized as they are asked to be', async () => {
    const { tabs } = await stage();
    const first = await tabs.createTab({ command: ['/bin/cat'], title: 'FE' });
    await tabs.createTab({ command: ['/bin/cat'], title: 'BE #{pane_id}; kill', size: { cols: 77, rows: 19 } });
    const listed = askTmux(tabs, 'list-windows', '-t', 'semo', '-F', '#{window_name} #{window_width}x#{window_height}');
    expect(listed.split('\n')).toEqual(['FE 120x40', 'BE __pane_id__ kill 77x19']);
    await tabs.closeTab(first);
    expect(askTmux(tabs, 'list-windows', '-t', 'semo', '-F', '#{window_name}')).toBe('BE __pane_id__ kill');
  });

  it('take every byte as it is, and let tmux know nothing of their environment', async () => {
    const { tabs } = await stage();
    const tab = await tabs.createTab({
      command: [
        '/bin/bash',
        '-c',
        'stty raw -echo; printf ready; head -c 256 | od -An -v -tx1 | tr -d "\\n"; sleep 60',
      ],
      env: { SECRET: "it's a secret", PATH: '/usr/bin:/bin' },
    });
    await shows(tabs, tab, 'ready');
    const bytes = Array.from({ length: 128 }, (_, byte) => String.fromCodePoint(byte)).join('');
    await tabs.sendText(tab, bytes + '\u0001'.repeat(128));
    await shows(
      tabs,
      tab,
      ` ${Array.from({ length: 128 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(' ')} 01`,
    );
    for (const scope of ['-g', '-t semo'])
      expect(askTmux(tabs, 'show-environment', ...scope.split(' '))).not.toContain('SECRET');
    expect(askTmux(tabs, 'list-panes', '-a', '-F', '#{pane_start_command}')).not.toContain('secret');
  });

  it('are told lost when the server is killed', async () => {
    const { tabs } = await stage();
    const tab = await tabs.createTab({ command: ['/bin/cat'] });
    process.kill(Number(askTmux(tabs, 'display-message', '-p', '#{pid}')), 'SIGKILL');
    expect(await tabs.waitForExit(tab)).toEqual({ code: null, signal: null });
    await expect(tabs.sendText(tab, 'late')).rejects.toMatchObject({ code: 'session_terminated' });
  });

  it('hear of a person who scrolls back, and go on', async () => {
    const { tabs } = await stage();
    const tab = await tabs.createTab({ command: ['/bin/cat'] });
    askTmux(tabs, 'copy-mode', '-t', 'semo');
    await tabs.sendText(tab, 'typed meanwhile\r');
    await shows(tabs, tab, 'typed meanwhile');
    expect(askTmux(tabs, 'display-message', '-p', '-t', 'semo', '#{pane_in_mode}')).toBe('1');
  });

  it('refuse a folder whose socket would have too long a name', async () => {
    await expect(createTmuxTabs({ stateDir: `/tmp/${'x'.repeat(100)}` })).rejects.toMatchObject({
      code: 'terminal_unavailable',
    });
  });
});
