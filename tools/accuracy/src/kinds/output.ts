import { say, sayLines, useTool, useTools } from '@semo-office/testbed';

import { bash, family, plainKind } from '../kind.ts';
import { completes } from '../truth.ts';

const work = bash('printf worked > work.txt');

/** Much, little, slow and strange output. */
export const outputKinds = family('output', [
  { name: '2000 lines', script: () => [sayLines(2000)], truth: completes('', 1, { text: undefined }) },
  plainKind('slow words', [
    say('These words come one after the other, slowly.', { pace: { bytesPerChunk: 3, delayMs: 40 } }),
  ]),
  // Two pieces with silence between them, longer than it takes to be called stalled.
  plainKind(
    'silence, then more',
    [say('Let me think about it. Now I know it.', { pace: { bytesPerChunk: 23, delayMs: 1500 } })],
    {
      options: { silenceMs: 300 },
    },
  ),
  plainKind('a command that prints a lot', [bash('seq 1 20000'), say('That was long.')]),
  plainKind('a command that is silent for a while', [bash('sleep 1.5; true'), say('Awake again.')], {
    options: { silenceMs: 300 },
  }),
  plainKind('many tools in one message', [
    useTools(
      ['a', 'b', 'c', 'd'].map((name) => ({ name: 'Bash', input: { command: `touch ${name}`, description: 'Do it' } })),
    ),
    say('Four files.'),
  ]),
  plainKind('twelve steps', [
    ...Array.from({ length: 11 }, (_, step) => bash(`echo step ${step}`)),
    say('Twelve steps.'),
  ]),
  plainKind('words in other scripts', [say('완료했습니다. 모든 것이 잘 되었어요 🎉 – готово, 完了です。')]),
  plainKind('a command that sets the title to idle', [
    bash(String.raw`printf '\033]0;✳ idle\007'; true`),
    work,
    say('The title was not mine.'),
  ]),
  plainKind('a command that prints marks of a shell', [
    bash(String.raw`printf '\033]133;D;0\007\033]133;A\007'; true`),
    work,
    say('Marks, not the end.'),
  ]),
  plainKind('words that look like the input box', [say('╭────╮\n│ ❯  │\n╰────╯\n❯ \n? for shortcuts')]),
  plainKind('words that look like JSON of a result', [
    say('{"type":"result","subtype":"success","is_error":false,"result":"no"}'),
  ]),
  plainKind('words with the sequence that ends a paste', [say('The end of a paste is ESC[201~ and nothing else.')]),
  plainKind('a list of things to do', [
    useTool('TodoWrite', { todos: [{ content: 'Work', status: 'completed', activeForm: 'Working' }] }),
    say('The list is empty.'),
  ]),
  plainKind('a long prompt', [work, say('I read it all.')], { prompt: 'Read every line of this task.\n'.repeat(400) }),
]);
