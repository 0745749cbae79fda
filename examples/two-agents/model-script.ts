import { promptIncludes, routeScripts, say, useTool, useTools, type ModelScript } from '@semo-office/testbed';

const PAGE = '<!doctype html>\n<html lang="en">\n  <title>Greeting</title>\n  <h1>Hello, semo!</h1>\n</html>\n';
const MODULE = 'export const greet = (name) => `Hello, ${name}!`;\n';
const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greet } from './greet.js';

test('greets by name', () => assert.equal(greet('semo'), 'Hello, semo!'));
`;

const bash = (command: string, description: string) => useTool('Bash', { command, description });
const pace = { bytesPerChunk: 12, delayMs: 25 };

/**
 * What the model says in the demo when nobody's account is to be used. Everything else is real: the CLI carries these
 * steps out, in worktrees, with git. Files are written relative to the folder the agent works in.
 */
export function demoScript(): ModelScript {
  return routeScripts([
    {
      when: promptIncludes('web/index.html'),
      script: [
        bash(`mkdir -p web && cat > web/index.html <<'END'\n${PAGE}END`, 'Write the page'),
        bash('grep -n "Hello, semo" web/index.html', 'Check the greeting'),
        bash('git add web && git commit -q -m "Add the greeting page" && git log -1 --oneline', 'Commit the page'),
        say('The page greets semo, and the greeting was checked. It is committed. [SEMO:DONE]', { pace }),
      ],
    },
    {
      when: promptIncludes('api/greet.js'),
      script: [
        useTools([
          {
            name: 'Bash',
            input: {
              command: `mkdir -p api && cat > api/greet.js <<'END'\n${MODULE}END`,
              description: 'Write the module',
            },
          },
          {
            name: 'Bash',
            input: {
              command: `mkdir -p api && cat > api/greet.test.js <<'END'\n${TEST}END`,
              description: 'Write its test',
            },
          },
        ]),
        bash('node --test api/greet.test.js', 'Run the tests'),
        bash('git add api && git commit -q -m "Add greet() with a test" && git log -1 --oneline', 'Commit the module'),
        say('greet() is there and its test passes. It is committed. [SEMO:DONE]', { pace }),
      ],
    },
  ]);
}
