import { hang, say, useTool } from '@semo-office/testbed';

import { delegating } from '../delegation.ts';
import { bash, family, plainKind } from '../kind.ts';
import { completes } from '../truth.ts';

const GIT = 'git -c user.name=A -c user.email=a@b.example';
const COMMIT = `git init -qb main && ${GIT} commit --allow-empty -m "Add the page"`;
const work = bash('printf worked > work.txt');
const print = (...lines: string[]) =>
  bash(`true && printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} # run`);

/** What happens on the way and looks like an end. */
export const milestoneKinds = family('milestone', [
  plainKind('a commit midway', [bash(COMMIT), work, say('Committed, and then worked on.')], { milestones: ['commit'] }),
  plainKind('two commits', [bash(COMMIT), bash(`${GIT} commit --allow-empty -m "Another"`), say('Two commits.')], {
    milestones: ['commit', 'commit'],
  }),
  plainKind(
    'all tests pass midway',
    [bash('true && ./run-tests || echo "All tests passed"'), work, say('Went on after the tests.')],
    {
      milestones: ['tests_passed'],
    },
  ),
  plainKind(
    'tests fail, then pass',
    [
      bash('true && ./t || echo "Tests: 1 failed, 30 passed, 31 total"'),
      work,
      bash('true && ./t || echo "Tests: 31 passed, 31 total"'),
      say('Fixed.'),
    ],
    { milestones: ['tests_passed'] },
  ),
  plainKind(
    'a build midway',
    [bash('true && ./b || echo "Build completed successfully"'), work, say('Built and deployed.')],
    {
      milestones: ['build_completed'],
    },
  ),
  plainKind(
    'a pull request midway',
    [
      bash('true && ./p || echo "Created pull request #42"'),
      work,
      say('The request is out, and the notes are written.'),
    ],
    { milestones: ['pull_request'] },
  ),
  plainKind('a pull request told at the end', [work, say('Created pull request #7.')], {
    milestones: ['pull_request'],
  }),
  {
    name: 'the words in a file that is written',
    script: ({ folder }) => [
      useTool('Write', {
        file_path: `${folder}/log.txt`,
        content: '[main 1a2b3c4] Add\nAll tests passed\nBuild completed successfully\nCreated pull request #3\n',
      }),
      work,
      say('Wrote the log.'),
    ],
    truth: completes('Wrote the log.', 3),
  },
  plainKind('the words in the prompt', [work, say('Understood.')], {
    prompt: 'Go on until it says: All tests passed\n[main 1a2b3c4] Add\nBuild completed successfully',
  }),
  plainKind('the words in a plan', [
    bash('true', {
      text: 'When all tests passed I will say so. Once the build succeeded, I should have created pull request #12.',
    }),
    say('That was the plan.'),
  ]),
  {
    name: 'the words of a subagent',
    ...delegating({
      tasks: ['Run the tests.'],
      subagent: [say('All tests passed')],
      afterwards: [work, say('The helper has run them.')],
    }),
  },
  {
    name: 'a commit that completes the turn',
    // How often the model is asked before the interrupt lands is the agent's affair: it hears nothing until then.
    script:
      () =>
      ({ body }) =>
        JSON.stringify(body.messages).includes('"tool_result"') ? hang() : bash(COMMIT),
    truth: completes('', 1, { milestones: ['commit'], text: undefined }),
    options: { completeOn: ['commit'] },
  },
  plainKind('progress on the way', [
    bash('true', { text: '[SEMO:PROGRESS 30%]' }),
    work,
    say('[SEMO:PROGRESS 100%]\nThat is all.'),
  ]),
]);

/** Errors that are not the end, or no errors at all. */
export const troubleKinds = family('trouble', [
  {
    name: 'error words in code',
    script: ({ folder }) => [
      useTool('Write', {
        file_path: `${folder}/a.ts`,
        content: "throw new Error('Error: fatal: ENOENT: Permission denied');\n",
      }),
      say('Error: and fatal: are words in the file now.'),
    ],
    truth: completes('Error: and fatal: are words in the file now.', 2),
  },
  plainKind('a command that fails, and is got over', [
    bash('echo "Error: it did not work" >&2; exit 1'),
    work,
    say('It failed first, then I found another way.'),
  ]),
  {
    name: 'a file that is not there',
    script: ({ folder }) => [
      useTool('Read', { file_path: `${folder}/missing.txt` }),
      work,
      say('It is not there; I made it.'),
    ],
    truth: completes('It is not there; I made it.', 3),
  },
  plainKind('permission denied by the system', [
    bash('true; echo "bash: /etc/x: Permission denied" >&2; exit 1'),
    work,
    say('Went around it.'),
  ]),
  plainKind('a fatal word of git', [
    bash('git log --oneline -1 # outside of any repository'),
    work,
    say('There is no repository.'),
  ]),
  plainKind('a tool called wrongly', [useTool('Bash', { cmd: 'ls' }), work, say('Called it rightly then.')]),
  plainKind('a tool that does not exist', [useTool('Teleport', { to: 'Mars' }), work, say('Walked instead.')]),
  plainKind('last words that begin like an error', [work, say('Error: I could not find anything to do.')]),
  plainKind('last words that look like an API error', [
    work,
    say('API Error: 529 overloaded_error is what the log says.'),
  ]),
  plainKind('an error every time', [
    print('Error: one'),
    print('fatal: two'),
    print('ENOENT: three'),
    say('Three errors, all expected.'),
  ]),
]);
