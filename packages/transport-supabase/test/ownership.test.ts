import { remoteSessions } from '@semo-office/core';
import { scriptedSpec } from '@semo-office/core/testing';
import { createClient } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';

import { hostToken, PATIENCE, type OfficeOfProject } from './project.ts';
import { projectStage } from './project-stage.ts';
import { scriptedHost } from './scripted-hosts.ts';

const stage = projectStage();

/** Another host of the office, which says whatever it likes with a token that is honestly its own. */
async function liar({ officeId }: OfficeOfProject, hostId: string) {
  const { url, publishableKey, jwtSecret } = stage.project;
  const accessToken = async () => hostToken({ jwtSecret }, { officeId, hostId });
  const client = createClient(url, publishableKey, { accessToken });
  const call = async (name: string, args: Record<string, unknown>) =>
    client.rpc(name, { p_office_id: officeId, p_host_id: hostId, ...args });
  const { data } = await call('semo_register_host', { p_protocol: 1, p_capacity: 1, p_lease_ms: 60_000 });
  const [{ epoch }] = data as [{ epoch: number }];
  return (name: string, args: Record<string, unknown>) => call(name, { p_epoch: epoch, ...args });
}

describe('a session of another host', () => {
  it('is not spoken of: whoever waits for its turn hears what its own host says', async () => {
    const office = stage.begin();
    const host = await scriptedHost(office, 'h1');
    const sessions = remoteSessions(office.server.office(), { pollIntervalMs: 100 });
    const heard: string[] = [];
    sessions.on('turn', ({ change, turn }) => heard.push(`${change} ${turn.text}`));
    sessions.on('status', ({ sessionId, status }) => heard.push(`${sessionId} ${status}`));
    const asked = new Promise<string>((resolve) => {
      sessions.on('request', ({ request }) => resolve(request.requestId));
    });
    const sessionId = 'ses_1';
    await sessions.create(scriptedSpec(sessionId));
    const turn = await sessions.sendPrompt(sessionId, 'ask: Bash');
    const requestId = await asked;
    const ended = sessions.waitForTurn(sessionId, turn.turnId);

    const say = await liar(office, 'h2');
    const at = Date.now();
    const state = {
      kind: 'ended',
      outcome: 'completed',
      confidence: 'certain',
      decidedBy: 'agent_end',
      at,
      error: null,
    };
    const forged = { ...turn, text: 'forged', state };
    const delivery = { kind: 'ended', intentAt: at, submittedAt: at, acceptedAt: at, endedAt: at, turn: forged };
    const put = await say('semo_put_turn', { p_record: { turnId: turn.turnId, sessionId, delivery } });
    expect(put.error).toMatchObject({ hint: 'session_conflict' });
    const told = await say('semo_publish_events', {
      p_seq: 1,
      p_events: [
        { name: 'turn', sessionId, change: 'ended', turn: forged, at },
        { name: 'status', sessionId, status: 'terminated', at },
        { name: 'status', sessionId: 'ses_of_h2', status: 'ready', at },
      ],
    });
    expect(told.error).toBeNull();
    await expect.poll(() => heard, PATIENCE).toContain('ses_of_h2 ready');

    await sessions.answerRequest(requestId, { behavior: 'allow' });
    expect(await ended).toMatchObject({ text: 'allowed', state: { outcome: 'completed' } });
    expect(await sessions.getTurn(sessionId, turn.turnId)).toMatchObject({ text: 'allowed' });
    expect(heard.join('\n')).not.toMatch(/forged|ses_1 terminated/);
    await host.close();
  });
});
