import { describe, expect, it } from 'vitest';

import {
  exactLinesNote,
  isSamePrompt,
  isSelfStarted,
  pasteBytes,
} from '../../../../src/agent/claude/terminal/paste.ts';

const pasted = (prompt: string) => pasteBytes(prompt).slice('\x1b[200~'.length, -'\x1b[201~'.length);

describe('what is pasted', () => {
  it.each(['hello', 'two\nlines', 'a ! and a / within', 'see /etc/passwd'])('is the prompt as it is: %j', (prompt) => {
    expect(pasteBytes(prompt)).toBe(`\x1b[200~${prompt}\x1b[201~`);
  });

  it.each([
    { prompt: '!ls', sent: ' !ls' },
    { prompt: '/help', sent: '/help\n\n\n\n' },
    { prompt: ' /help\nme', sent: ' /help\nme\n\n\n' },
    { prompt: '/many\n\n\n\n\nlines', sent: '/many\n\n\n\n\nlines\n' },
    { prompt: 'ends\\', sent: 'ends\\\n\n\n\n' },
    { prompt: 'exit', sent: 'exit\n\n\n\n' },
    { prompt: ':wq', sent: ':wq\n\n\n\n' },
  ])('is defused where the box would act on it: $prompt', ({ prompt, sent }) => {
    expect(pasted(prompt)).toBe(sent);
  });
});

describe('the prompt that is reported back', () => {
  it.each([
    { reported: 'hello', sent: 'hello', same: true },
    { reported: '  hello there', sent: 'hello\tthere\n', same: true },
    { reported: '<pasted_content id="1">\nlong\n</pasted_content id="1">', sent: 'long', same: true },
    { reported: 'half a thoughthello', sent: 'hello', same: false },
    { reported: '', sent: 'hello', same: false },
  ])('is ours or not: $reported', ({ reported, sent, same }) => {
    expect(isSamePrompt(reported, sent)).toBe(same);
  });

  it('may be the CLI’s own', () => {
    expect(isSelfStarted('\n<task-notification>\nended')).toBe(true);
    expect(isSelfStarted('What is a <task-notification>?')).toBe(false);
  });
});

it('lines with tabs are told beside the prompt, exactly', () => {
  expect(exactLinesNote('no tabs\n  here')).toBeNull();
  expect(exactLinesNote('all:\n\tcc\tmain.c\nend')?.split('\n').slice(1)).toEqual(['\tcc\tmain.c']);
});
