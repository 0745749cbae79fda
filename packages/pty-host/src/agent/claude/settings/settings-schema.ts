import { permissionModeSchema } from '@semo-office/core';
import { z } from 'zod';

const words = z.array(z.string());
/** Rules are looked at one by one: Claude Code drops those that are no text and keeps the others. */
const rules = z.array(z.unknown());
const record = z.record(z.string(), z.unknown());

const hookSchema = z.looseObject({
  type: z.string(),
  command: z.string().optional(),
  url: z.url().optional(),
  prompt: z.string().optional(),
  timeout: z.number().positive().optional(),
});

const hookGroupSchema = z.looseObject({ matcher: z.string().optional(), hooks: z.array(hookSchema) });

/**
 * The fields of a settings file that make Claude Code ignore all of it, or what guards something in it, when they have
 * another type (seen with 2.1.329). Fields that are not here, and ones it does not know itself, harm nothing.
 */
export const claudeSettingsSchema = z.looseObject({
  permissions: z
    .looseObject({
      allow: rules.optional(),
      ask: rules.optional(),
      deny: rules.optional(),
      additionalDirectories: words.optional(),
      defaultMode: permissionModeSchema.optional(),
      disableBypassPermissionsMode: z.literal('disable').optional(),
    })
    .optional(),
  hooks: z.record(z.string(), z.array(hookGroupSchema)).optional(),
  disableAllHooks: z.boolean().optional(),
  allowedHttpHookUrls: words.optional(),
  env: record.optional(),
  sandbox: record.optional(),
  statusLine: record.optional(),
  enabledPlugins: record.optional(),
  model: z.string().optional(),
  apiKeyHelper: z.string().optional(),
  outputStyle: z.string().optional(),
  language: z.string().optional(),
  availableModels: words.optional(),
  cleanupPeriodDays: z.number().optional(),
  includeCoAuthoredBy: z.boolean().optional(),
  alwaysThinkingEnabled: z.boolean().optional(),
  respectGitignore: z.boolean().optional(),
  enableAllProjectMcpServers: z.boolean().optional(),
});

/** See {@link claudeSettingsSchema}. */
export type ClaudeSettings = z.output<typeof claudeSettingsSchema>;
