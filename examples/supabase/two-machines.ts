import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  agentEnvironment,
  claudeBinary,
  createGitRepository,
  say,
  startModelServer,
  temporaryFolder,
  useTool,
} from '@semo-office/testbed';
import { startSupabase, type LocalSupabase } from '@semo-office/testbed/supabase';
import { supabaseFolder } from 'semo-office/supabase';

import { JOB } from './job.ts';

/** How the two are run. */
export interface TwoMachinesOptions {
  readonly write: (text: string) => unknown;
}

type Environment = Readonly<Record<string, string>>;

const OFFICE_ID = 'acme';
const HOST_ID = 'mac-1';

const bash = (command: string) => useTool('Bash', { command, description: 'Work' });

/** What the model says; the CLI really does it, in a worktree. */
const SCRIPT = [
  bash(`mkdir -p api && echo 'export const greet = (name) => "Hello, " + name;' > api/greet.js`),
  bash('git add api && git commit -q -m "Add greet()" && git log -1 --oneline'),
  say('greet() is there, and committed. [SEMO:DONE]'),
];

/**
 * One job, its office and its host two processes that share nothing but a Supabase project. Resolves with the exit status.
 */
export async function runTwoMachines({ write }: TwoMachinesOptions): Promise<number> {
  await using supabase = await startSupabase();
  await supabase.applyMigrations(join(supabaseFolder, 'migrations'));
  await using model = await startModelServer({ script: SCRIPT });
  await using repository = await createGitRepository();
  await using folder = await temporaryFolder('semo-host-');
  const common = { PATH: process.env['PATH'] ?? '', OFFICE_ID, SUPABASE_URL: supabase.url };
  await using host = startScript('host.ts', write, {
    ...common,
    ...agentEnvironment(model),
    HOST_ID,
    SUPABASE_PUBLISHABLE_KEY: supabase.publishableKey,
    SEMO_HOST_TOKEN: await hostToken(supabase),
    SEMO_CLAUDE_BIN: claudeBinary(),
    REPOSITORY: repository.path,
    HOME: folder.path,
    TMPDIR: folder.path,
  });
  await host.hasSpoken;
  await using office = startScript('office.ts', write, { ...common, SUPABASE_SECRET_KEY: supabase.secretKey });
  const status = await office.ended;
  const commit = await repository.git(['log', '--format=%h %s', `main..${JOB.session.workspace.branch}`]);
  write(`On ${JOB.session.workspace.branch}: ${commit || 'nothing'}\n`);
  return status === 0 && commit !== '' ? 0 : 1;
}

/** Who the host is, signed by the project. Of a real project: `semo host token`. */
function hostToken(supabase: LocalSupabase): Promise<string> {
  const semo = { role: 'host', office_id: OFFICE_ID, host_id: HOST_ID };
  return supabase.jwt({ sub: crypto.randomUUID(), app_metadata: { semo } });
}

interface Script extends AsyncDisposable {
  /** Resolves at its first words, or its end. */
  readonly hasSpoken: Promise<unknown>;
  readonly ended: Promise<number | null>;
}

function startScript(name: string, write: TwoMachinesOptions['write'], env: Environment): Script {
  const child: ChildProcess = spawn(process.execPath, [join(import.meta.dirname, name)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([status]) => status as number | null);
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => write(text.replaceAll(/^(?=.)/gm, `${name}  `)));
  return {
    ended,
    hasSpoken: Promise.race([ended, child.stdout === null ? ended : once(child.stdout, 'data')]),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
