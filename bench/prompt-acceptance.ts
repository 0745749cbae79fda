import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '@semo-office/core';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  say,
  startModelServer,
  temporaryFolder,
  testbedApiKey,
  type ModelServer,
} from '@semo-office/testbed';

import { benchSessions, type BenchSessions } from './bench-sessions.ts';
import { figures } from './figures.ts';
import type { Measurement, Scale } from './measurement.ts';
import { openRawTerminal } from './raw-terminal.ts';

const RUNS: Record<Scale, number> = { full: 10, tiny: 1 };
const PROMPT_SIGN = '❯';

/** How soon the real Claude Code CLI has taken a prompt, against the scripted model server. */
export const promptAcceptance: Measurement = {
  title: 'Claude Code: from create() to an accepted prompt, and the CLI alone to its input box',
  async run(scale) {
    await using model = await startModelServer({ script: () => say('Done.') });
    await using repository = await createGitRepository();
    const folder = repository.path;
    await using host = await benchSessions({ ...agentEnvironment(model), SEMO_CLAUDE_BIN: claudeBinary() });
    // A manager asks a binary for its version once: that first session is told apart.
    const first = await oursOnce(host, folder);
    const raw: number[] = [];
    const created: number[] = [];
    const accepted: number[] = [];
    for (let run = 0; run < RUNS[scale]; run += 1) {
      raw.push(await rawOnce(model, folder));
      const times = await oursOnce(host, folder);
      created.push(times.created);
      accepted.push(times.accepted);
    }
    const row = (what: string, values: readonly number[]) => ({ what, unit: 'ms', figures: figures(values) });
    const total = row('session, start of create() to prompt accepted', accepted);
    const afterCreate = accepted.map((time, run) => time - (created[run] ?? 0));
    return {
      rows: [
        row(`raw node-pty, start to ${PROMPT_SIGN}`, raw),
        row('session, create()', created),
        row('session, then sendPrompt() to accepted', afterCreate),
        total,
        row("the process's first session, create() to accepted", [first.accepted]),
      ],
      targets: [
        { what: 'create() to prompt accepted', unit: 'ms', value: total.figures.median, promised: { atMost: 1000 } },
      ],
    };
  },
};

/** Milliseconds since the start of create(). */
async function oursOnce({ sessions }: BenchSessions, folder: string): Promise<{ created: number; accepted: number }> {
  const startedAt = performance.now();
  const { sessionId } = await sessions.create({
    sessionId: newId('ses'),
    agent: { kind: 'claude', permissionMode: 'acceptEdits' },
    workspace: { kind: 'path', path: folder },
  });
  const created = performance.now() - startedAt;
  const { turnId } = await sessions.sendPrompt(sessionId, 'Say that you are done.');
  const accepted = performance.now() - startedAt;
  await sessions.waitForTurn(sessionId, turnId);
  await sessions.terminate(sessionId);
  return { created, accepted };
}

/** The CLI by itself, with every dialog answered beforehand as a session does. */
async function rawOnce(model: ModelServer, folder: string): Promise<number> {
  await using home = await temporaryFolder('semo-bench-home-');
  const state = {
    hasCompletedOnboarding: true,
    customApiKeyResponses: { approved: [testbedApiKey.slice(-20)], rejected: [] },
    projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
  };
  await mkdir(home.path, { recursive: true });
  await writeFile(join(home.path, '.claude.json'), JSON.stringify(state));
  const painted = Promise.withResolvers<void>();
  let seen = '';
  const startedAt = performance.now();
  await using _terminal = openRawTerminal({
    command: [claudeBinary(), '--permission-mode', 'acceptEdits'],
    cwd: folder,
    env: { ...agentEnvironment(model, { configDir: home.path }), TERM: 'xterm-256color' },
    onData(bytes) {
      seen += Buffer.from(bytes).toString('latin1');
      if (seen.includes(Buffer.from(PROMPT_SIGN).toString('latin1'))) painted.resolve();
    },
  });
  await painted.promise;
  return performance.now() - startedAt;
}
