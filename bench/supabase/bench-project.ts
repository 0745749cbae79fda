import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { ProjectAddress, ProjectAnswer, ProjectCalls, ProjectQuestion } from './project-main.ts';

const main = fileURLToPath(new URL('project-main.ts', import.meta.url));

/** A local Supabase with our migrations, in a process of its own. */
export interface BenchProject extends ProjectAddress, AsyncDisposable {
  /** @example await project.ask('sql', 'select 1') */
  ask<Call extends keyof ProjectCalls>(
    call: Call,
    ...argument: Parameters<ProjectCalls[Call]>
  ): Promise<Awaited<ReturnType<ProjectCalls[Call]>>>;
}

/** Whose a token is, and for how long. */
export interface TokenOwner {
  readonly role: 'office' | 'host';
  readonly officeId: string;
  readonly hostId: string;
  /** Default: a day. */
  readonly lifeS?: number;
}

/** A token of a host or of an office. */
export function userToken(
  project: BenchProject,
  { role, officeId, hostId, lifeS = 86_400 }: TokenOwner,
): Promise<string> {
  const semo = { role, office_id: officeId, host_id: hostId };
  const exp = Math.floor(Date.now() / 1000) + lifeS;
  return project.ask('jwt', { sub: crypto.randomUUID(), app_metadata: { semo }, exp });
}

/** Starts one; it ends when it is disposed, or with this process. */
export async function startBenchProject(): Promise<BenchProject> {
  const child = fork(main, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waits = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  const begun = Promise.withResolvers<unknown>();
  waits.set(0, begun);
  child.on('message', (answer: ProjectAnswer) => {
    const wait = waits.get(answer.id);
    waits.delete(answer.id);
    if ('error' in answer) wait?.reject(new Error(answer.error));
    else wait?.resolve('result' in answer ? answer.result : answer);
  });
  child.once('exit', (code) => {
    for (const wait of waits.values()) wait.reject(new Error(`The project ended with status ${code}.`));
  });
  const address = (await begun.promise) as ProjectAddress;
  return {
    ...address,
    ask(call, ...[argument]) {
      const wait = Promise.withResolvers<unknown>();
      lastId += 1;
      waits.set(lastId, wait);
      child.send({ id: lastId, call, argument } satisfies ProjectQuestion);
      return wait.promise as never;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
