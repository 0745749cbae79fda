import { hang, say, type ModelRequest } from '@semo-office/testbed';
import { expect, it } from 'vitest';

import { member, newestPrompt, officeStage, reasons } from './office-stage.ts';

const script = (request: ModelRequest) => (newestPrompt(request).includes('cut short') ? say('All is done.') : hang());

it('a job whose agent is killed as soon as it has the prompt is done by another', async () => {
  await using stage = await officeStage(script, { agents: [member('FE')], warm: {} });
  const { office } = stage;
  const accepted = new Promise<void>((resolve) => {
    office.on('attempt', ({ attempt }) => {
      if (attempt.delivery === 'accepted') resolve();
    });
  });
  const { jobId } = await office.submitJob({ agentId: 'FE', prompt: 'Build the page.' });
  await accepted;
  await stage.kill(jobId);
  const result = await office.waitForJob(jobId);
  expect(result).toMatchObject({ outcome: 'completed', text: 'All is done.', error: null });
  expect(reasons(result).slice(0, 2)).toEqual(['first', 'crash']);
  expect(stage.model.messages.at(-1)?.rawBody).toContain('Build the page.');
}, 60_000);
