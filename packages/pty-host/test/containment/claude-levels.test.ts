import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createGitRepository, say, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../agent/claude/claude-stage.ts';
import { skipped } from './contained-stage.ts';
import { containerScript } from './stand-in-container.ts';

const COMMIT = 'echo work > work.txt && git add work.txt && git commit -qm "Made by the agent"';
/** Every level, and both ways of speaking with it; at `pid_namespace`, the default, all the other tests run. */
const CASES = [
  ['process_group', 'claude'],
  ['pid_namespace', 'claude-stream'],
  ['sandbox', 'claude'],
  ['sandbox', 'claude-stream'],
  ['container', 'claude-stream'],
] as const;

describe.for(CASES)('Claude Code at the level %s, as %s', ([level, kind]) => {
  const reason = skipped[level];
  it.skipIf(reason !== '')(`works and commits${reason}`, async () => {
    await using repository = await createGitRepository();
    await using stage = await claudeStage([useTool('Bash', { command: COMMIT, description: 'Commit' }), say('Done.')], {
      kind,
      repositories: { app: repository.path },
      containment: { container: { command: containerScript() } },
    });
    const { sessionId, containment } = await stage.sessions.create(
      stage.spec({
        workspace: { kind: 'git', repoId: 'app', branch: 'agent/work', retain: 'dirty' },
        containment: { level },
      }),
    );
    expect(containment.level).toBe(level);
    const turn = await stage.ask(sessionId, 'Make the file and commit it.');
    expect(turn).toMatchObject({ text: 'Done.', state: { outcome: 'completed', decidedBy: 'agent_end' } });
    expect(await repository.git(['log', '-1', '--format=%s', 'agent/work'])).toBe('Made by the agent');
  });
});

describe.for(['sandbox', 'container'] as const)('Claude Code in a terminal at the level %s', (level) => {
  const reason = skipped[level];
  it.skipIf(reason !== '')(`is interrupted and goes on${reason}`, async () => {
    await using stage = await claudeStage(
      [useTool('Bash', { command: 'sleep 100', description: 'Wait' }), say('Back again.'), say('Back again.')],
      { containment: { container: { command: containerScript() } } },
    );
    const { sessionId } = await stage.sessions.create(stage.spec({ containment: { level } }));
    const { turnId } = await stage.sessions.sendPrompt(sessionId, 'Wait.');
    await stage.model.waitForRequest(() => true);
    await stage.sessions.cancel(sessionId);
    expect((await stage.sessions.waitForTurn(sessionId, turnId)).state).toMatchObject({ outcome: 'cancelled' });
    expect((await stage.ask(sessionId, 'Are you there?')).text).toBe('Back again.');
  });
});

describe.for(['process_group', 'sandbox'] as const)('the status file at the level %s', (level) => {
  it.skipIf(skipped[level] !== '')(`is the witness of an interrupt by hand${skipped[level]}`, async () => {
    const command = 'touch begun; sleep 100';
    await using stage = await claudeStage([useTool('Bash', { command, description: 'Wait' })]);
    const { sessionId } = await stage.sessions.create(stage.spec({ containment: { level } }));
    const { turnId } = await stage.sessions.sendPrompt(sessionId, 'Wait.');
    await expect.poll(() => existsSync(join(stage.folder, 'begun'))).toBe(true);
    await stage.sessions.sendKeystrokes(sessionId, ['Escape']);
    const turn = await stage.sessions.waitForTurn(sessionId, turnId);
    expect(turn.evidence.at(-1)).toMatchObject({ kind: 'at_rest', source: 'status_file' });
  });
});
