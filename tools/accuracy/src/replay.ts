import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type TurnInfo } from '@semo-office/core';
import { createPtySessionManager } from '@semo-office/pty-host';
import { testbedApiKey, temporaryFolder } from '@semo-office/testbed';

import { answerInOrder } from './answering.ts';
import type { Kind } from './kind.ts';
import { recordingSchema, type Recording } from './recording.ts';

const FOLDER = join(import.meta.dirname, '../recordings');

/** The recordings by the names of their files. */
export async function readRecordings(): Promise<readonly (readonly [string, Recording])[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).toSorted();
  const read = async (name: string) => recordingSchema.parse(JSON.parse(await readFile(join(FOLDER, name), 'utf8')));
  return Promise.all(names.map(async (name) => [name, await read(name)] as const));
}

/** The kinds that recordings stand for, as `family: name`. */
export async function recordedKinds(): Promise<ReadonlySet<string>> {
  return new Set((await readRecordings()).map(([, { kind }]) => kind));
}

/** Keeps a recording. */
export async function keepRecording(recording: Recording): Promise<void> {
  const name = `${recording.kind} ${recording.face} ${recording.cols ?? ''}`.trim().replaceAll(/[^a-z0-9]+/gi, '-');
  await writeFile(join(FOLDER, `${name}.json`), `${JSON.stringify(recording)}\n`);
}

/** Takes a recorded turn through the drivers, without the CLI: a program plays what it printed and told. */
export async function replay(recording: Recording, kind: Kind): Promise<TurnInfo> {
  await using work = await temporaryFolder('semo-replay-');
  const file = join(work.path, 'recording.json');
  await writeFile(file, JSON.stringify(recording));
  const sessions = createPtySessionManager({
    stateDir: join(work.path, 'state'),
    hostEnv: {
      PATH: process.env.PATH,
      ANTHROPIC_API_KEY: testbedApiKey,
      SEMO_CLAUDE_BIN: await writePlayer(work.path, recording.version),
    },
  });
  try {
    const { sessionId } = await sessions.create({
      sessionId: newId('ses'),
      agent: { kind: recording.face === 'stream' ? 'claude-stream' : 'claude', permissionMode: kind.permissionMode },
      workspace: { kind: 'path', path: work.path },
      environment: { set: { SEMO_RECORDING: file } },
      ...(recording.cols === null ? {} : { size: { cols: recording.cols, rows: 40 } }),
    });
    const { turnId } = await sessions.sendPrompt(sessionId, kind.prompt, kind.options);
    const answering = answerInOrder({ sessions, sessionId }, kind.answers);
    const [turn] = await Promise.all([sessions.waitForTurn(sessionId, turnId), answering]);
    return turn;
  } finally {
    await sessions.close();
  }
}

/** An executable, as the driver wants one; it tells its version without starting Node. */
async function writePlayer(folder: string, version: string): Promise<string> {
  const file = join(folder, 'player');
  const program = join(import.meta.dirname, 'player.ts');
  const saysVersion = `[ "$1" = --version ] && echo '${version} (Claude Code)' && exit\n`;
  await writeFile(file, `#!/bin/sh\n${saysVersion}exec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(file, 0o755);
  return file;
}
