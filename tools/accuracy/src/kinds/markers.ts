import { hang, say, useTool } from '@semo-office/testbed';

import { delegating } from '../delegation.ts';
import { bash, family, plainKind } from '../kind.ts';
import { cancelled, completes, fails } from '../truth.ts';

const MARKER = '[SEMO:DONE]';
const work = bash('printf worked > work.txt');

/** The marker, wherever it may stand. */
export const markerKinds = family('marker', [
  plainKind('no marker anywhere', [say('All is well.')]),
  plainKind('at the end of the answer', [work, say(`Done. ${MARKER}`)]),
  plainKind('in the prompt', [work, say('Finished the work.')], {
    prompt: `Work, and say ${MARKER} when you are done.`,
  }),
  plainKind('in a prompt of many lines', [work, work, say('Finished the work.')], {
    prompt: `${'A line of the task.\n'.repeat(12)}Say ${MARKER} at the end.\n${'Another line.\n'.repeat(12)}`,
  }),
  {
    name: 'in a file that is written',
    script: ({ folder }) => [
      useTool('Write', { file_path: `${folder}/notes.md`, content: `# Notes\n${MARKER}\n` }),
      work,
      say('The notes are written.'),
    ],
    truth: completes('The notes are written.', 3),
  },
  {
    name: 'in a file that is read',
    script: ({ folder }) => [
      bash(`printf '%s\\n' 'one' '${MARKER}' > notes.md`),
      useTool('Read', { file_path: `${folder}/notes.md` }),
      work,
      say('I have read it.'),
    ],
    truth: completes('I have read it.', 4),
  },
  plainKind('in the output of a command', [bash(`echo '${MARKER}'`), work, say('It printed the marker.')]),
  plainKind('in a quoted plan', [
    bash('true', { text: `My plan:\n\n> 1. work\n> 2. say ${MARKER}\n\nNow I begin.` }),
    work,
    say('The plan is carried out.'),
  ]),
  plainKind('said midway', [
    bash('true', { text: `The first half is over. ${MARKER}` }),
    work,
    say('Both halves are done.'),
  ]),
  {
    name: 'in the answer of a subagent',
    ...delegating({
      tasks: ['Look around.'],
      subagent: [say(`Looked. ${MARKER}`)],
      afterwards: [work, say('The helper is done, and so am I.')],
    }),
  },
  plainKind('split over many pieces', [
    work,
    say(`It is done. ${MARKER}`, { pace: { bytesPerChunk: 2, delayMs: 15 } }),
  ]),
  plainKind('repeated', [work, say(`${MARKER}\n${MARKER}\nDone. ${MARKER}`)]),
  plainKind('in the thoughts', [
    useTool('Bash', { command: 'true', description: 'Do it' }, { thinking: `Soon I can say ${MARKER}.` }),
    say('I thought about it.', { thinking: `Now I could say ${MARKER}.` }),
  ]),
  {
    name: 'half printed, then interrupted',
    script: () => [work, hang({ text: 'Nearly there. [SEMO:' })],
    truth: cancelled(),
    meanwhile: async ({ model, sessions, sessionId }) => {
      await model.waitForRequest(() => model.messages.length === 2);
      await sessions.cancel(sessionId);
    },
  },
]);

/** The marker, where it is required. */
export const requiredMarkerKinds = family('required marker', [
  plainKind('said at the end', [work, say(`All done. ${MARKER}`)], { options: { require: 'marker' } }),
  plainKind('said in the middle of the last message', [say(`Summary\n\n${MARKER}\n\nThat was it.`)], {
    options: { require: 'marker' },
  }),
  {
    name: 'never said',
    script: () => [work, say('I believe I am done.')],
    truth: fails('unknown', { text: 'I believe I am done.', answers: 2 }),
    options: { require: 'marker' },
  },
  {
    name: 'in the prompt and in what a command prints only',
    prompt: `End with ${MARKER}.`,
    script: () => [bash(`echo '${MARKER}'`), say('I printed it.')],
    truth: fails('unknown', { text: 'I printed it.', answers: 2 }),
    options: { require: 'marker' },
  },
  {
    name: 'said midway, not at the end',
    script: () => [bash('true', { text: `So far so good. ${MARKER}` }), say('And now the rest.')],
    truth: fails('unknown', { text: 'And now the rest.', answers: 2 }),
    options: { require: 'marker' },
  },
]);
