import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  agentEnvironment,
  claudeBinary,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
  type ModelRequest,
} from '@semo-office/testbed';
import { connectToSocket, newId, remoteSessions, type AgentSpec, type SessionManager } from 'semo-office';
import { describe, expect, it } from 'vitest';

const semo = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** Wants to run the same command after every prompt, whatever came before. */
function touch({ body }: ModelRequest) {
  const last = body.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const isToldResult = typeof last !== 'string' && last.some(({ type }) => type === 'tool_result');
  return isToldResult ? say('Went on.') : useTool('Bash', { command: 'touch allowed', description: 'Test' });
}

/** Real hosts, one after the other, on one socket and one state folder; offices come and go. */
async function stage() {
  const model = await startModelServer({ script: touch });
  const folder = await temporaryFolder('semo-requests-');
  const work = await temporaryFolder('semo-work-');
  const socket = join(folder.path, 'host.sock');
  const env = {
    HOME: folder.path,
    XDG_STATE_HOME: join(folder.path, 'state'),
    ...agentEnvironment(model, { maxRetries: 1 }),
    SEMO_CLAUDE_BIN: claudeBinary(),
  };
  const hosts: ChildProcess[] = [];
  const offices: SessionManager[] = [];
  const end = async (host: ChildProcess, signal: NodeJS.Signals) => {
    if (host.exitCode !== null || host.signalCode !== null) return;
    const exit = once(host, 'exit');
    host.kill(signal);
    await exit;
  };
  return {
    async host() {
      const stdio = ['ignore', 'pipe', 'ignore'] as const;
      const host = spawn(process.execPath, [semo, 'host', '--socket', socket], { env, stdio: [...stdio] });
      hosts.push(host);
      if (host.stdout !== null) await once(host.stdout, 'data');
      return { kill: () => end(host, 'SIGKILL'), stop: () => end(host, 'SIGTERM') };
    },
    async office() {
      const sessions = remoteSessions(await connectToSocket({ path: socket }));
      offices.push(sessions);
      return sessions;
    },
    spec: (agent: AgentSpec) => ({
      sessionId: newId('ses'),
      agent,
      workspace: { kind: 'path' as const, path: work.path },
    }),
    wasTouched: () =>
      access(join(work.path, 'allowed')).then(
        () => true,
        () => false,
      ),
    async [Symbol.asyncDispose]() {
      for (const office of offices) await office.close();
      for (const host of hosts) await end(host, 'SIGTERM');
      await model.close();
      await work[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Prompts a new session and resolves when it asks for a person. */
async function asked(sessions: SessionManager, spec: Parameters<SessionManager['create']>[0]) {
  const { sessionId } = await sessions.create(spec);
  const told = Promise.withResolvers<string>();
  sessions.on('request', ({ request }) => told.resolve(request.requestId));
  const { turnId } = await sessions.sendPrompt(sessionId, 'Do it.');
  return { sessionId, turnId, requestId: await told.promise };
}

const STREAM: AgentSpec = { kind: 'claude-stream', keepConversation: true };

describe('a request on a host', () => {
  it('is found and answered by the office that comes next', async () => {
    await using here = await stage();
    await here.host();
    const first = await here.office();
    const { sessionId, turnId, requestId } = await asked(first, here.spec(STREAM));
    await first.close();
    const second = await here.office();
    const open = await second.listRequests();
    expect(open).toMatchObject([{ requestId, sessionId, turnId, session: 'alive', tool: 'Bash' }]);
    await second.answerRequest(requestId, { behavior: 'allow' }, { by: 'Mina' });
    expect((await second.waitForTurn(sessionId, turnId)).text).toBe('Went on.');
    expect(await second.listRequests()).toEqual([]);
    expect(await here.wasTouched()).toBe(true);
  });

  it('outlives killed hosts; its answer is given once, when the conversation goes on and asks again', async () => {
    await using here = await stage();
    const killed = await here.host();
    const { requestId } = await asked(await here.office(), here.spec(STREAM));
    await killed.kill();
    const next = await here.host();
    const office = await here.office();
    const [left] = await office.listRequests();
    expect(left).toMatchObject({ requestId, session: 'resumable', conversationId: expect.any(String) });
    await office.answerRequest(requestId, { behavior: 'allow' }, { by: 'Mina' });
    expect(await office.listRequests()).toEqual([]);
    await expect(office.answerRequest(requestId, { behavior: 'allow' })).rejects.toMatchObject({
      code: 'request_unknown',
    });
    await next.kill();
    await here.host();
    const later = await here.office();
    const requests: string[] = [];
    later.on('request', ({ request }) => requests.push(request.requestId));
    const resume = left!.conversationId ?? '';
    const { sessionId } = await later.create(here.spec({ ...STREAM, resume }));
    const once = await later.sendPrompt(sessionId, 'Go on.');
    expect((await later.waitForTurn(sessionId, once.turnId)).text).toBe('Went on.');
    expect(await here.wasTouched()).toBe(true);
    expect(requests).toEqual([]);
    const twice = await later.sendPrompt(sessionId, 'Again.', { onNeedsPerson: 'interrupt' });
    expect((await later.waitForTurn(sessionId, twice.turnId)).state).toMatchObject({ outcome: 'needs_input' });
    expect(requests).toHaveLength(1);
  });

  it('stays for the conversation also where the host leaves in good order', async () => {
    await using here = await stage();
    const leaving = await here.host();
    const { requestId } = await asked(await here.office(), here.spec(STREAM));
    await leaving.stop();
    await here.host();
    const office = await here.office();
    expect(await office.listRequests()).toMatchObject([{ requestId, session: 'resumable' }]);
  });

  it('of an agent in a terminal is listed as gone, and its answer recorded', async () => {
    await using here = await stage();
    const killed = await here.host();
    const { requestId } = await asked(await here.office(), here.spec({ kind: 'claude' }));
    await killed.kill();
    await here.host();
    const office = await here.office();
    expect(await office.listRequests()).toMatchObject([{ requestId, session: 'gone' }]);
    await office.answerRequest(requestId, { behavior: 'deny' });
    expect(await office.listRequests()).toEqual([]);
  });
});
