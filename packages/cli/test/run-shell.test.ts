import { say } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { cliStage } from './test-io.ts';

describe('semo run --agent shell', () => {
  it('runs a command and gives its output', async () => {
    await using stage = await cliStage([say('unused')]);
    const { status, lines, result } = await stage.runJson([
      '--agent',
      'shell',
      '--',
      'echo "[main 1a2b3c4] Add"\nprintf "two words\\n"',
    ]);
    expect(status).toBe(0);
    expect(result).toMatchObject({
      outcome: 'completed',
      confidence: 'certain',
      text: '[main 1a2b3c4] Add\ntwo words',
    });
    expect(lines.filter(({ type }) => type === 'turn')).toMatchObject([{ decidedBy: 'shell_mark' }]);
    expect(lines.filter(({ type }) => type === 'milestone')).toMatchObject([{ kind: 'commit', hash: '1a2b3c4' }]);
  });

  it('fails with the command', async () => {
    await using stage = await cliStage([say('unused')]);
    const { status, result } = await stage.runJson(['--agent', 'shell', '--shell', 'bash', 'ls nothing-here']);
    expect(status).toBe(1);
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'agent_exit_failed' } });
  });

  it('ends with a milestone where that is asked for', async () => {
    await using stage = await cliStage([say('unused')]);
    const command = 'echo "31 passed, 0 failed"; sleep 60';
    const { status, lines } = await stage.runJson(['--agent', 'shell', '--complete-on', 'tests_passed', command]);
    expect(status).toBe(0);
    expect(lines.filter(({ type }) => type === 'turn')).toMatchObject([{ decidedBy: 'milestone' }]);
  });

  it.each([
    [['--agent', 'shell', '--exec', 'ls', 'x']],
    [['--agent', 'claude', '--shell', 'bash', 'x']],
    [['--agent', 'shell', '--complete-on', 'custom', 'x']],
    [['--agent', 'shell', '--shell', 'fish', 'x']],
    [['--agent', 'shell', '--model', 'm', 'x']],
  ])('refuses %j', async (argv) => {
    await using stage = await cliStage([say('unused')]);
    expect((await stage.runJson(argv)).status).toBe(2);
  });
});
