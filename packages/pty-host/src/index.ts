export { createPtySessionManager } from './pty-session-manager.ts';
export type { SessionLogOptions } from './logs/log-options.ts';
export type { PtySessionManagerOptions } from './pty-session-options.ts';
export { fileRequestStore } from './requests/file-request-store.ts';
export type { FileRequestStoreOptions } from './requests/file-request-store.ts';
export { createClaudeDriver } from './agent/claude/terminal/terminal-driver.ts';
export type { ClaudeDriverOptions } from './agent/claude/home.ts';
export { createClaudeStreamDriver } from './agent/claude/stream/stream-driver.ts';
export type { ClaudeStreamDriverOptions, ClaudeStreamEvent } from './agent/claude/stream/stream-driver.ts';
export type { ConversationLimits } from './agent/claude/stream/kept-conversations.ts';
export type { StreamJsonEvent } from './agent/claude/stream/stream-json.ts';
export type { Credential, TokenProvider } from './agent/claude/credential.ts';
export { createCommandDriver } from './agent/command/command-line.ts';
export { createShellDriver } from './agent/shell/shell.ts';
export type {
  AgentControl,
  AgentDriver,
  AgentIo,
  Launch,
  LaunchContext,
  PrivateFolders,
  Submission,
} from './agent/agent-driver.ts';
export { collectWorktrees, listKeptWorktrees } from './workspace/worktree-keeper.ts';
export type { CollectWorktreesOptions, KeptWorktree, WorktreeReport } from './workspace/worktree-keeper.ts';
export type { SweepReport, SweptSession } from './process/session-sweep.ts';
