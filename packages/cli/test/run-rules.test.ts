import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { say, useTool } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { cliStage } from './test-io.ts';

const bash = (command: string) => useTool('Bash', { command, description: 'Test' });
const RULES = [
  { name: 'touch', tool: 'Bash', input: { command: { command: 'touch *' } }, answer: { behavior: 'allow' } },
];

async function stageWith(rules: unknown, ...script: Parameters<typeof cliStage>) {
  const stage = await cliStage(...script);
  await writeFile(join(stage.home, 'rules.json'), typeof rules === 'string' ? rules : JSON.stringify(rules));
  const argv = ['--agent', 'claude-stream', '--permission-mode', 'default', '--rules', join(stage.home, 'rules.json')];
  return Object.assign(stage, { argv });
}

describe('semo run --rules', () => {
  it('lets the agent do what the rules allow', async () => {
    await using stage = await stageWith(RULES, [bash('touch it'), say('Went on.')]);
    const { status, lines, result } = await stage.runJson([...stage.argv, 'Touch it.']);
    expect({ status, text: result.text }).toEqual({ status: 0, text: 'Went on.' });
    expect(lines.filter(({ type }) => type === 'request')).toHaveLength(1);
    await access(join(stage.folder, 'it'));
  });

  it('ends with 3 where they say nothing', async () => {
    await using stage = await stageWith(RULES, [bash('mkdir it'), say('unreached')]);
    const { status, result } = await stage.runJson([...stage.argv, 'Make it.']);
    expect({ status, outcome: result.outcome }).toEqual({ status: 3, outcome: 'needs_input' });
  });

  it.each([['[{'], [[{ name: 'bad', tool: '', answer: { behavior: 'allow' } }]], [{ name: 'no list' }]])(
    'ends with 2 where they are none: %j',
    async (rules) => {
      await using stage = await stageWith(rules, [say('unreached')]);
      const { status, result } = await stage.runJson([...stage.argv, 'Touch it.']);
      expect(status).toBe(2);
      expect(result.error).toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('ends with 2 where there is no such file', async () => {
    await using stage = await cliStage([say('unreached')]);
    expect(await stage.runJson(['--rules', '/no/such/file', 'Go.'])).toMatchObject({ status: 2 });
  });
});
