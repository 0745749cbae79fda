import { expect, test } from 'vitest';
import { lastToolResults, promptTexts, systemTexts, userTexts } from '../../src/index.ts';
import { messagesBodySchema } from '../../src/model/messages-body.ts';

const body = messagesBodySchema.parse({
  model: 'claude-test',
  system: [{ type: 'text', text: 'You are an agent.' }],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: '<system-reminder>\nBe kind.\n</system-reminder>\n' },
        { type: 'text', text: 'Add a route' },
      ],
    },
    { role: 'system', content: '# Environment' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'old' }] },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: 'toolu_2',
          content: [{ type: 'text', text: 'no such file' }],
          is_error: true,
        },
        { type: 'tool_result', tool_use_id: 'toolu_3' },
      ],
    },
    { role: 'user', content: 'And a test' },
  ],
});

test('user texts, with and without the reminders of the CLI', () => {
  expect(userTexts({ body })).toHaveLength(3);
  expect(promptTexts({ body })).toEqual(['Add a route', 'And a test']);
});

test('system texts: the prompt, then what came within the conversation', () => {
  expect(systemTexts({ body })).toEqual(['You are an agent.', '# Environment']);
  expect(systemTexts({ body: { ...body, system: 'Plain' } })).toEqual(['Plain', '# Environment']);
});

test('the newest tool results', () => {
  expect(lastToolResults({ body })).toEqual([
    { toolUseId: 'toolu_2', text: 'no such file', isError: true },
    { toolUseId: 'toolu_3', text: '', isError: false },
  ]);
  expect(lastToolResults({ body: { ...body, messages: [] } })).toEqual([]);
});
