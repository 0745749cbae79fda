import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId, type SessionEvents, type SessionManager, type TurnInfo } from '@semo-office/core';
import { createPtySessionManager } from '@semo-office/pty-host';
import { agentEnvironment, startModelServer, temporaryFolder, type ModelRequest } from '@semo-office/testbed';

import { answerInOrder } from './answering.ts';
import { startHookWitness } from './hook-witness.ts';
import type { OpenSession } from './kind.ts';
import type { Chunk, Observation } from './observation.ts';
import type { Trial } from './setting.ts';

/** A turn without a verdict after this long has been missed. */
const PATIENCE_MS = 90_000;

/** Runs one kind of turn in one setting, by the real CLI, from a new session to its end. */
export async function runTrial(trial: Trial, binary: string): Promise<Observation> {
  const { kind } = trial;
  await using work = await temporaryFolder('semo-trial-');
  await using state = await temporaryFolder('semo-trial-state-');
  await using model = await startModelServer({ script: kind.script({ folder: work.path }) });
  await using witness = await startHookWitness();
  await mkdir(join(work.path, '.claude'));
  await writeFile(join(work.path, '.claude', 'settings.json'), JSON.stringify(witness.settings));
  const environment = agentEnvironment(model, { maxRetries: kind.maxRetries });
  const sessions = createPtySessionManager({
    stateDir: state.path,
    hostEnv: { HOME: state.path, ...environment, SEMO_CLAUDE_BIN: binary },
  });
  const watch = new TurnWatch(sessions);
  let turn: TurnInfo | null = null;
  let fault: string | null = null;
  try {
    turn = await takeTurn({ trial, sessions, folder: work.path, model, watch });
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  } finally {
    await sessions.close();
  }
  const answers = model.messages.filter(isAnswer).map(({ lastByteAt = 0 }) => ({ lastByteAt }));
  return { trial, turn, heardAt: watch.heardAt, answers, hooks: witness.calls, chunks: watch.chunks, fault };
}

async function takeTurn({
  trial: { kind, setting },
  sessions,
  folder,
  model,
  watch,
}: Omit<OpenSession, 'sessionId'> & { readonly trial: Trial; readonly watch: TurnWatch }): Promise<TurnInfo | null> {
  const terminal = setting.cols === null ? {} : { size: { cols: setting.cols, rows: 40 } };
  const { sessionId } = await sessions.create({
    sessionId: newId('ses'),
    agent: { kind: setting.face === 'stream' ? 'claude-stream' : 'claude', permissionMode: kind.permissionMode },
    workspace: { kind: 'path', path: folder },
    ...terminal,
    ...(setting.face === 'classic' ? { environment: { set: { CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN: '1' } } } : {}),
  });
  const session: OpenSession = { sessions, sessionId, folder, model };
  await kind.before?.(session);
  const { turnId } = await sessions.sendPrompt(sessionId, kind.prompt, { ...kind.options, turnId: watch.turnId });
  const meanwhile = Promise.all([answerInOrder(session, kind.answers), kind.meanwhile?.({ ...session, turnId })]);
  const waiting = sessions.waitForTurn(sessionId, turnId, { timeoutMs: PATIENCE_MS });
  await Promise.all([meanwhile, waiting]).catch((error: unknown) => {
    if (watch.heardAt !== null) throw error;
  });
  const turn = await sessions.getTurn(sessionId, turnId);
  // The verdict is there. How the agent leaves is not tried here, and takes it seconds, five where it left a command running.
  await sessions.terminate(sessionId, { graceMs: 0 });
  return turn;
}

function isAnswer({ agentId, outcome }: ModelRequest): boolean {
  return agentId === undefined && outcome.kind === 'answered';
}

/** Hears one turn's verdict, and everything the agent prints. */
class TurnWatch {
  readonly turnId = newId('turn');
  readonly chunks: Chunk[] = [];
  heardAt: number | null = null;

  constructor(sessions: SessionManager) {
    sessions.on('turn', (event) => {
      this.#onTurn(event);
    });
    sessions.on('output', ({ offset, bytes }) => this.chunks.push({ at: Date.now(), offset, bytes }));
  }

  #onTurn({ change, turn }: SessionEvents['turn']): void {
    if (change === 'ended' && turn.turnId === this.turnId) this.heardAt ??= Date.now();
  }
}
