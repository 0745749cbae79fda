import type { AgentProfile, JobSpec, Persona } from 'semo-office';

function member(persona: Persona & { readonly role: string }): AgentProfile {
  return {
    agentId: persona.role,
    agent: { kind: 'claude-stream', permissionMode: 'bypassPermissions' },
    workspace: { kind: 'git', repoId: 'greetings' },
    persona,
    options: { onNeedsPerson: 'interrupt', timeoutMs: 60_000 },
  };
}

/** Who there is. Each job of theirs has a branch and a folder of its own. */
export const CREW: readonly AgentProfile[] = [
  member({
    name: 'Mina',
    role: 'FE',
    prompt: 'You build the pages. Plain HTML, no frameworks.',
    scopePatterns: ['web/**'],
  }),
  member({ name: 'Joon', role: 'BE', prompt: 'You build the service. Plain Node.js.', scopePatterns: ['api/**'] }),
  member({ name: 'Ada', role: 'QA', prompt: 'You look at what others have built.', scopePatterns: ['checks/**'] }),
];

/** What there is to do today. The model has a limit at `about`, and the agent at `health` is killed midway. */
export const DAY: readonly (JobSpec & { readonly agentId: string; readonly work: { readonly taskId: string } })[] = [
  { agentId: 'FE', work: { taskId: 'page' }, prompt: 'Write web/index.html, and commit it.', priority: 5 },
  { agentId: 'BE', work: { taskId: 'greet' }, prompt: 'Write api/greet.js, and commit it.', priority: 5 },
  { agentId: 'QA', work: { taskId: 'smoke' }, prompt: 'Write checks/smoke.sh, and commit it.' },
  { agentId: 'FE', work: { taskId: 'about' }, prompt: 'Write web/about.html, and commit it.' },
  { agentId: 'BE', work: { taskId: 'health' }, prompt: 'Write api/health.js, and commit it.' },
  {
    agentId: 'QA',
    work: { taskId: 'list' },
    prompt: 'Write checks/list.md, and commit it.',
    context: { due: 'today' },
  },
];
