import { readFile } from 'node:fs/promises';
import { newId } from '@semo-office/core';

import type { BenchSessions } from '../bench-sessions.ts';
import type { ProgramStart } from './start-difference.ts';
import { PROMPT, type TurnSide } from './turn-side.ts';

/** Turns through a session of ours. */
export function sessionTurns({ sessions }: BenchSessions, folder: string): TurnSide {
  const create = async () => {
    const { sessionId } = await sessions.create({
      sessionId: newId('ses'),
      agent: { kind: 'claude-stream' },
      workspace: { kind: 'path', path: folder },
    });
    return sessionId;
  };
  const turn = async (sessionId: string) => {
    const { turnId } = await sessions.sendPrompt(sessionId, PROMPT);
    const { state } = await sessions.waitForTurn(sessionId, turnId);
    if (state.kind !== 'ended' || state.outcome !== 'completed') throw new Error(`A turn is ${JSON.stringify(state)}.`);
  };
  return {
    async coldTurn() {
      const startedAt = performance.now();
      const sessionId = await create();
      await turn(sessionId);
      const time = performance.now() - startedAt;
      await sessions.terminate(sessionId);
      return time;
    },
    async open() {
      const sessionId = await create();
      await turn(sessionId);
      return {
        async turn() {
          const startedAt = performance.now();
          await turn(sessionId);
          return performance.now() - startedAt;
        },
        async [Symbol.asyncDispose]() {
          await sessions.terminate(sessionId);
        },
      };
    },
  };
}

/** How a session starts Claude Code, as the system sees it; Linux only. */
export async function sessionStart({ sessions }: BenchSessions, folder: string): Promise<ProgramStart> {
  const { sessionId, terminalId } = await sessions.create({
    sessionId: newId('ses'),
    agent: { kind: 'claude-stream' },
    workspace: { kind: 'path', path: folder },
  });
  const [command, environment] = await Promise.all([words(terminalId, 'cmdline'), words(terminalId, 'environ')]);
  await sessions.terminate(sessionId);
  return {
    args: command.slice(1),
    variables: environment.map((entry) => entry.slice(0, entry.indexOf('='))),
  };
}

async function words(pid: string | null, file: 'cmdline' | 'environ'): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8');
  return text.split('\0').filter((word) => word !== '');
}
