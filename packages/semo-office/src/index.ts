/**
 * semo-office: fleets of coding-agent sessions. Everything of `@semo-office/core`, the terminal host, the local
 * transports, the store in a file, and an office with sane defaults.
 *
 * @packageDocumentation
 */
export * from '@semo-office/core';
export {
  createPtySessionManager,
  createClaudeDriver,
  createClaudeStreamDriver,
  createCommandDriver,
  createShellDriver,
  createTmuxTabs,
} from '@semo-office/pty-host';
export type {
  ClaudeDriverOptions,
  ClaudeStreamDriverOptions,
  ClaudeStreamEvent,
  ContainerOptions,
  ContainmentOptions,
  ConversationLimits,
  Credential,
  PtySessionManagerOptions,
  SessionLogOptions,
  SweepReport,
  TabOptions,
  TmuxTabs,
  TmuxTabsOptions,
  TokenProvider,
} from '@semo-office/pty-host';
export {
  collectWorktrees,
  findMachineAgents,
  fileRequestStore,
  fileSessionStore,
  listKeptWorktrees,
} from '@semo-office/pty-host';
export type { CollectWorktreesOptions, KeptWorktree, MachineAgents, WorktreeReport } from '@semo-office/pty-host';
export { createTokenKeeper, credentialId } from '@semo-office/pty-host';
export type { FreshToken, TokenKeeper, TokenKeeperOptions } from '@semo-office/pty-host';
export type {
  ClaudeTerminalDriverOptions,
  FileRequestStoreOptions,
  FileSessionStoreOptions,
} from '@semo-office/pty-host';
export { commandNotifier } from './notify/command-notifier.ts';
export type { CommandNotifierOptions } from './notify/command-notifier.ts';
export { webhookNotifier } from './notify/webhook-notifier.ts';
export type { WebhookNotifierOptions } from './notify/webhook-notifier.ts';
export { connectToSocket, inProcessTransport, listenOnSocket } from '@semo-office/transport-local';
export { openSqliteStore } from '@semo-office/store-sqlite';
export type { SqliteStore, SqliteStoreFault, SqliteStoreOptions } from '@semo-office/store-sqlite';
export { createLocalOffice, joinOffice } from './local-office.ts';
export type { JoinOfficeOptions, LocalOfficeOptions } from './local-office.ts';
export { openLocalOffice } from './durable-office.ts';
export type { OpenLocalOfficeOptions } from './durable-office.ts';
export type { OfficeMemory } from './machine-admission.ts';
