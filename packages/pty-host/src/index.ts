export { createPtySessionManager } from './pty-session-manager.ts';
export type { SessionLogOptions } from './logs/log-options.ts';
export type { PtySessionManagerOptions } from './pty-session-options.ts';
export { fileRequestStore } from './requests/file-request-store.ts';
export type { FileRequestStoreOptions } from './requests/file-request-store.ts';
export { fileSessionStore } from './recovery/file-session-store.ts';
export type { FileSessionStoreOptions } from './recovery/file-session-store.ts';
export { createClaudeDriver } from './agent/claude/terminal/terminal-driver.ts';
export type { ClaudeTerminalDriverOptions } from './agent/claude/terminal/terminal-driver.ts';
export type { ClaudeDriverOptions } from './agent/claude/home.ts';
export { createClaudeStreamDriver } from './agent/claude/stream/stream-driver.ts';
export type { ClaudeStreamDriverOptions, ClaudeStreamEvent } from './agent/claude/stream/stream-driver.ts';
export type { ConversationLimits } from './agent/claude/conversation/kept-conversations.ts';
export type { StreamJsonEvent } from './agent/claude/stream/stream-json.ts';
export { credentialId } from './agent/claude/credential.ts';
export type { Credential, TokenProvider } from './agent/claude/credential.ts';
export { createTokenKeeper } from './agent/claude/token-keeper.ts';
export type { FreshToken, TokenKeeper, TokenKeeperOptions } from './agent/claude/token-keeper.ts';
export { createCommandDriver } from './agent/command/command-line.ts';
export { createShellDriver } from './agent/shell/shell.ts';
export type {
  AgentControl,
  AgentDriver,
  AgentIo,
  Launch,
  LaunchContext,
  LeftAgent,
  LeftTurn,
  PrivateFolders,
  Submission,
  TakeUpContext,
  TurnSearch,
} from './agent/agent-driver.ts';
export { findMachineAgents } from './agent/machine-agents.ts';
export type { MachineAgents } from './agent/machine-agents.ts';
export { collectWorktrees, listKeptWorktrees } from './workspace/worktree-keeper.ts';
export type { CollectWorktreesOptions, KeptWorktree, WorktreeReport } from './workspace/worktree-keeper.ts';
export type { ContainerOptions, ContainmentOptions } from './containment/containment-options.ts';
export { machineMemory, sessionResources } from './process/resources.ts';
export type { MachineMemory, SessionResources, SystemFolders } from './process/resources.ts';
export type { SweepReport, SweptSession } from './process/session-sweep.ts';
export { createTmuxTabs } from './terminal/tmux/tmux-tabs.ts';
export type { TabOptions, TmuxTabs, TmuxTabsOptions } from './terminal/tmux/tmux-tabs.ts';
export type { ProcessExit } from './terminal/terminal.ts';
