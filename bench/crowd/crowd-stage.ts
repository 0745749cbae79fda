import { readdir } from 'node:fs/promises';
import { createOffice, type AgentProfile, type Office, type OfficeOptions } from '@semo-office/core';
import { createPtySessionManager } from '@semo-office/pty-host';
import { createGitRepository, temporaryFolder, type GitRepository } from '@semo-office/testbed';

import { descendants } from './process-tree.ts';

/** An office whose every folder can be looked through afterwards. */
export interface CrowdStage extends AsyncDisposable {
  readonly office: Office;
  readonly repository: GitRepository;
  /** A folder for whatever the agents share. */
  readonly folder: string;
  /** What went wrong and failed no job. */
  readonly faults: readonly string[];
  /** Closes the office; gives what is left of its sessions: processes, and what lies in its folders or in the repository. */
  close(): Promise<readonly string[]>;
}

/** What a {@link CrowdStage} is made from. */
export interface CrowdStageOptions extends Pick<OfficeOptions, 'warm' | 'pool' | 'jobs'> {
  readonly agents: readonly AgentProfile[];
  readonly hostEnv: Readonly<Record<string, string>>;
}

/** Opens an office over sessions of this process, in folders of its own. Its repository is `app`. */
export async function crowdStage({ hostEnv, ...options }: CrowdStageOptions): Promise<CrowdStage> {
  const repository = await createGitRepository();
  const root = await temporaryFolder('semo-crowd-');
  const work = await temporaryFolder('semo-crowd-work-');
  const others = new Set(descendants());
  const faults: string[] = [];
  const sessions = createPtySessionManager({
    stateDir: root.path,
    repositories: { app: repository.path },
    hostEnv: { HOME: root.path, ...hostEnv },
  });
  const office = createOffice({
    ...options,
    sessions,
    onFault: ({ jobId, error }) => void faults.push(`${jobId ?? 'office'}: ${error.code} ${error.message}`),
  });
  return {
    office,
    repository,
    folder: work.path,
    faults,
    async close() {
      await office.close();
      return [
        ...descendants()
          .filter((pid) => !others.has(pid))
          .map((pid) => `process ${pid}`),
        ...(await readdir(root.path, { recursive: true })).filter((path) => !KEPT_ON_PURPOSE.test(path)),
        ...(await readdir(`${repository.path}/.git/worktrees`).catch(() => [])).map((name) => `worktree ${name}`),
      ];
    },
    async [Symbol.asyncDispose]() {
      await office.close();
      for (const folder of [repository, root, work]) await folder[Symbol.asyncDispose]();
    },
  };
}

/** What became of sessions, and the conversations of a crew: both are kept for weeks. */
const KEPT_ON_PURPOSE = /^(history|conversations)($|\/)/;
