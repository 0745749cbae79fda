import { hang, say, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../claude-stage.ts';

const bash = (command: string, more: Record<string, unknown> = {}) =>
  useTool('Bash', { command, description: 'Test', ...more });
const COMMIT =
  'git init -q -b main && git -c user.name=A -c user.email=a@b.c commit -q --allow-empty -m one && ' +
  'git -c user.name=A -c user.email=a@b.c commit --allow-empty -m two';

describe('milestones of Claude Code in a terminal', () => {
  it('come from what its commands print and what it says, once each', async () => {
    await using stage = await claudeStage([
      bash(COMMIT),
      bash('echo "Not found: $(ls nothing)"; exit 3'),
      say('Committed. Created pull request #12.\n[SEMO:PROGRESS 80%]'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Commit it.');
    expect(turn.milestones).toMatchObject([
      { kind: 'commit', branch: 'main', hash: expect.stringMatching(/^[0-9a-f]{7,}$/) },
      { kind: 'pull_request', number: 12 },
    ]);
    expect(turn.percent).toBe(80);
    expect(turn.evidence.filter(({ kind }) => kind === 'trouble')).toMatchObject([{ class: 'not_found', by: 'tool' }]);
    expect(turn.state).toMatchObject({ outcome: 'completed', decidedBy: 'agent_end' });
  });

  it('do not come from the prompt, a file that is written or shown, or a quotation', async () => {
    const line = '[main 1a2b3c4] All tests passed';
    await using stage = await claudeStage((request) => {
      const steps = [
        useTool('Write', {
          file_path: `${stage.folder}/notes.txt`,
          content: `${line}\nBuild completed successfully\n`,
        }),
        useTool('Read', { file_path: `${stage.folder}/notes.txt` }),
        bash('cat notes.txt'),
        say(`The notes say:\n\n> ${line}`),
      ];
      return steps[Math.min(request.body.messages.filter(({ role }) => role === 'assistant').length, 3)] ?? say('Hm.');
    });
    const id = await stage.open();
    const turn = await stage.ask(id, `Write down: ${line}\nError: fatal: [SEMO:DONE]`, {
      completeOn: ['commit', 'tests_passed', 'build_completed'],
    });
    expect(turn.text).toContain('The notes say');
    expect(turn.milestones).toEqual([]);
    expect(turn.state).toMatchObject({ decidedBy: 'agent_end' });
  });

  it('complete the turn where that is asked for; the agent is at rest for the next', async () => {
    // How often the model is asked before the interrupt lands is the CLI's affair: it hears nothing until it does.
    await using stage = await claudeStage(({ body }) => {
      const conversation = JSON.stringify(body.messages);
      if (conversation.includes('And now?')) return say('Next.');
      return conversation.includes('"tool_result"') ? hang() : bash(COMMIT);
    });
    const id = await stage.open();
    const turn = await stage.ask(id, 'Commit it.', { completeOn: ['commit'] });
    expect(turn.state).toMatchObject({ outcome: 'completed', confidence: 'certain', decidedBy: 'milestone' });
    expect((await stage.ask(id, 'And now?')).text).toBe('Next.');
  });

  it('may be lines that the caller looks for', async () => {
    await using stage = await claudeStage([bash('true && ./x || echo deployed to staging'), say('Deployed.')]);
    const id = await stage.open();
    const milestones = [{ name: 'deploy', source: String.raw`deployed to (\w+)` }];
    expect((await stage.ask(id, 'Deploy.', { milestones })).milestones).toMatchObject([
      { kind: 'custom', name: 'deploy' },
    ]);
    const refused = stage.ask(id, 'Deploy.', { milestones: [{ name: 'x', source: String.raw`(a)\1` }] });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('background tasks', () => {
  it('wake the agent, which is told', async () => {
    await using stage = await claudeStage([
      bash('sleep 1', { run_in_background: true }),
      say('Started it.'),
      say('It is done.'),
      say('The next.'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Run it.');
    expect(turn.text).toBe('It is done.');
    expect(turn.evidence.map(({ kind }) => kind)).toContain('self_started');
  });

  it('wake the agent also where they end while it speaks', async () => {
    await using stage = await claudeStage([
      bash('sleep 0.3', { run_in_background: true }),
      say('I say this slowly enough for it to end meanwhile.', { pace: { bytesPerChunk: 4, delayMs: 120 } }),
      say('And so it has.'),
    ]);
    const turn = await stage.ask(await stage.open(), 'Run it.');
    expect(turn).toMatchObject({ text: 'And so it has.', state: { outcome: 'completed' } });
  });

  it('of which the agent hears nothing more end the turn when it rests', async () => {
    await using stage = await claudeStage(({ body, rawBody }) => {
      const answers = body.messages.filter(({ role }) => role === 'assistant').length;
      if (answers === 0) return bash('tail -f /dev/null', { run_in_background: true });
      const taskId = /with ID: (\w+)/.exec(rawBody)?.[1];
      return answers === 1 ? useTool('TaskStop', { task_id: taskId }) : say('Ended it myself.');
    });
    const turn = await stage.ask(await stage.open(), 'Run it.');
    expect(turn).toMatchObject({ text: 'Ended it myself.', state: { outcome: 'completed' } });
  });

  it('end the turn with the agent’s word where that is asked for', async () => {
    await using stage = await claudeStage([
      bash('sleep 20', { run_in_background: true }),
      say('Started it.'),
      say('2.'),
    ]);
    const id = await stage.open();
    const turn = await stage.ask(id, 'Run it.', { endWithBackgroundTasks: true });
    expect(turn).toMatchObject({ text: 'Started it.', state: { outcome: 'completed', decidedBy: 'agent_end' } });
  });
});
