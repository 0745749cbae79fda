import { newId, serveSessions, type Command, type CommandResult } from '@semo-office/core';
import { createScriptedSessions, scriptedSpec } from '@semo-office/core/testing';

import type { SupabaseHostLink } from '../src/index.ts';
import type { OfficeOfProject } from './project.ts';

/** A host of scripted sessions. */
export async function scriptedHost(office: OfficeOfProject, hostId: string, capacity = 10): Promise<SupabaseHostLink> {
  const host = await office.hostSide(hostId).host({ hostId, capacity });
  serveSessions(host, createScriptedSessions());
  return host;
}

/** A host that answers when told to, and what it has been asked. */
export function slowHandler() {
  const asked: Command[] = [];
  const waits: (() => void)[] = [];
  const answers: ((result: CommandResult) => void)[] = [];
  const handler = (command: Command): Promise<CommandResult> => {
    if (command.body.kind === 'create_session') return Promise.resolve({ success: true, result: null });
    asked.push(command);
    for (const go of waits.splice(0)) go();
    return new Promise((resolve) => answers.push(resolve));
  };
  const untilAsked = async (count: number): Promise<void> => {
    while (asked.length < count) await new Promise<void>((resolve) => waits.push(resolve));
  };
  return { asked, answers, handler, untilAsked };
}

/** The command that makes a session. */
export const create = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: { kind: 'create_session', sessionId, spec: scriptedSpec(sessionId) },
});
/** A command that must not be carried out twice. */
export const keys = (sessionId: string): Command => ({
  commandId: newId('cmd'),
  body: { kind: 'send_keystrokes', sessionId, keys: ['Enter'] },
});
