import type { JobSpec } from 'semo-office';

/** The work, and who does it. Its repository is one that the host has, by that name. */
export const JOB = {
  prompt: 'Write api/greet.js, a module with greet(name), and commit it.',
  session: {
    agent: { kind: 'claude', permissionMode: 'bypassPermissions' },
    workspace: { kind: 'git', repoId: 'app', branch: 'agent/be-greet', taskId: 'greet' },
    agentId: 'BE',
    persona: {
      name: 'Joon',
      role: 'BE',
      prompt: 'You build the service. Small steps, plain Node.js, no dependencies.',
      scopePatterns: ['api/**'],
    },
  },
  options: { onNeedsPerson: 'interrupt' },
} satisfies JobSpec;
