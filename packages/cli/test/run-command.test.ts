import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { cliStage } from './test-io.ts';

const COMMAND = ['--agent', 'command'];

describe('semo run --agent command', () => {
  it('ends in time also where the program never reads its prompt', async () => {
    await using stage = await cliStage([]);
    const file = join(stage.folder, 'big');
    await writeFile(file, `${'y'.repeat(47)}\n`.repeat(2000));
    const argv = [...COMMAND, '--timeout', '1s', '--exec', 'sleep 100', '--prompt-file', file];
    expect(await stage.runJson(argv)).toMatchObject({ status: 124, result: { outcome: 'timed_out' } });
  });

  it.each([
    { limit: ['--max-wall', '1s'], status: 124, code: 'session_timed_out' },
    { limit: ['--max-output', '100000'], status: 1, code: 'output_limit' },
  ])('ends at $limit', async ({ limit, status, code }) => {
    await using stage = await cliStage([]);
    const argv = [...COMMAND, ...limit, '--exec', "sh -c 'read x; while :; do echo $x; done'", 'Go.'];
    expect(await stage.runJson(argv)).toMatchObject({ status, result: { error: { code } } });
  });

  it('is cancelled also where the program never reads its prompt', async () => {
    await using stage = await cliStage([]);
    const file = join(stage.folder, 'big');
    await writeFile(file, `${'y'.repeat(47)}\n`.repeat(2000));
    const controller = new AbortController();
    const argv = [...COMMAND, '--exec', "sh -c 'echo begun; sleep 100'", '--prompt-file', file];
    const running = stage.runJson(argv, {
      signal: controller.signal,
      onStdout: (text) => {
        if (text.includes('"executing"')) controller.abort();
      },
    });
    expect(await running).toMatchObject({ status: 130, result: { outcome: 'cancelled' } });
  });

  it('reaches a program that puts its terminal into raw mode as it starts, with Enter', async () => {
    await using stage = await cliStage([]);
    const program = join(stage.folder, 'raw.mjs');
    await writeFile(
      program,
      `process.stdin.setRawMode(true);
process.stdin.on('data', (bytes) => {
  console.log(JSON.stringify(String(bytes)), process.env.SEMO_DONE_MARKER);
});
`,
    );
    const { status, result } = await stage.runJson([
      ...COMMAND,
      '--exec',
      `'${process.execPath}' raw.mjs`,
      'two\nlines',
    ]);
    expect(status).toBe(0);
    expect(result).toMatchObject({ outcome: 'completed', text: String.raw`"two\nlines\r"` });
  });

  it('runs at the level of containment that was asked for, or not at all', async () => {
    await using stage = await cliStage([]);
    const own = await stage.runJson([...COMMAND, '--containment', 'process_group', '--exec-pipe', 'echo here', 'x']);
    expect(own).toMatchObject({ status: 0, result: { text: 'here' } });
    const refused = await stage.runJson([...COMMAND, '--containment', 'container', '--exec-pipe', 'cat', 'x']);
    expect(refused).toMatchObject({ status: 1, result: { error: { code: 'containment_unavailable' } } });
  });

  it('has all that a program printed, also before it was asked', async () => {
    await using stage = await cliStage([]);
    const { result } = await stage.runJson([...COMMAND, '--exec-pipe', 'echo hello', 'x']);
    expect(result).toMatchObject({ outcome: 'completed', text: 'hello' });
  });

  it('is cancelled while it starts, and before it has begun', async () => {
    await using stage = await cliStage([]);
    const controller = new AbortController();
    const running = stage.runJson(['--prompt-file', '-'], {
      signal: controller.signal,
      readStdin: () => {
        controller.abort();
        return new Promise(() => {});
      },
    });
    expect(await running).toMatchObject({ status: 130, result: { outcome: 'cancelled', sessionId: '' } });
    const starting = new AbortController();
    const started = stage.runJson(['x'], {
      signal: starting.signal,
      onStdout: (text) => {
        if (text.includes('"creating"')) starting.abort();
      },
    });
    expect(await started).toMatchObject({ status: 130, result: { outcome: 'cancelled' } });
  });
});
