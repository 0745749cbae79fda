/**
 * semo-office: fleets of coding-agent sessions. Everything of `@semo-office/core`, the terminal host and the local
 * transports, and an office with sane defaults.
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
} from '@semo-office/pty-host';
export type {
  ClaudeDriverOptions,
  ClaudeStreamDriverOptions,
  ClaudeStreamEvent,
  ConversationLimits,
  Credential,
  PtySessionManagerOptions,
  SweepReport,
  TokenProvider,
} from '@semo-office/pty-host';
export { fileRequestStore, fileSessionStore } from '@semo-office/pty-host';
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
export { createLocalOffice, joinOffice } from './local-office.ts';
export type { JoinOfficeOptions, LocalOfficeOptions } from './local-office.ts';
