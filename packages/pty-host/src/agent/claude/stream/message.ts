import { z } from 'zod';

const uuids = z.array(z.string()).nullish();
const system = z.literal('system');

/** Claude Code's messages, as far as they are used here; everything else in them is let through unread. */
const systemMessageSchema = z.discriminatedUnion('subtype', [
  /** A turn begins. Without `user_message_uuids` the agent has begun it by itself. */
  z.looseObject({ type: system, subtype: z.literal('init'), user_message_uuids: uuids }),
  z.looseObject({ type: system, subtype: z.literal('session_state_changed'), state: z.string() }),
  z.looseObject({
    type: system,
    subtype: z.literal('background_tasks_changed'),
    tasks: z.array(z.looseObject({ task_id: z.string() })),
  }),
  /** Older versions tell of tasks one by one only, and do not say which of them hold the agent up. */
  z.looseObject({
    type: system,
    subtype: z.literal('task_started'),
    task_id: z.string(),
    is_backgrounded: z.boolean().optional(),
  }),
  z.looseObject({
    type: system,
    subtype: z.literal('task_updated'),
    task_id: z.string(),
    patch: z.looseObject({ status: z.string().optional() }),
  }),
  /** A background task has ended; the agent is told of it, in its present turn or one of its own. */
  z.looseObject({ type: system, subtype: z.literal('task_notification') }),
  z.looseObject({
    type: system,
    subtype: z.literal('api_retry'),
    attempt: z.number().int().nonnegative(),
    retry_delay_ms: z.number().nonnegative(),
    error_status: z.number().int().nullish(),
  }),
]);

const controlRequestSchema = z.looseObject({
  type: z.literal('control_request'),
  request_id: z.string(),
  request: z.looseObject({
    subtype: z.string(),
    tool_name: z.string().optional(),
    input: z.record(z.string(), z.unknown()).optional(),
  }),
});

const controlResponseSchema = z.looseObject({
  type: z.literal('control_response'),
  response: z.looseObject({ subtype: z.string(), request_id: z.string(), error: z.string().optional() }),
});

const contentBlockSchema = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  /** Of a tool's use: */
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional().catch(undefined),
  /** Of its result: */
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().nullish(),
});

const assistantSchema = z.looseObject({
  type: z.literal('assistant'),
  parent_tool_use_id: z.string().nullish(),
  /** Why the API refused, in one word. */
  error: z.string().nullish(),
  message: z.looseObject({ content: z.array(contentBlockSchema) }),
});

const userSchema = z.looseObject({
  type: z.literal('user'),
  uuid: z.string().optional(),
  /** A prompt that the agent has taken, told again where that was asked for. */
  isReplay: z.boolean().optional(),
  message: z.looseObject({ content: z.union([z.string(), z.array(contentBlockSchema)]) }),
  /** What a tool gave, in its own shape. */
  tool_use_result: z.unknown().optional(),
});

const count = z.number().int().nonnegative().default(0);

/** Tokens of the agent's own requests since its prompt. */
const usageSchema = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});

/** Tokens of all requests to one model since the process began or was cleared. */
const modelUsageSchema = z.looseObject({
  inputTokens: count,
  outputTokens: count,
  cacheReadInputTokens: count,
  cacheCreationInputTokens: count,
});

const resultSchema = z.looseObject({
  type: z.literal('result'),
  /** `success` is said of API errors too: `is_error` counts. */
  subtype: z.string(),
  is_error: z.boolean().default(false),
  result: z.string().nullish(),
  errors: z.array(z.string()).nullish(),
  terminal_reason: z.string().nullish(),
  api_error_status: z.number().nullish(),
  /** The prompts that this is the answer to. */
  user_message_uuids: uuids,
  /** What began the turn, where no prompt did. */
  origin: z.looseObject({ kind: z.string() }).nullish(),
  /** Figures are no reason to lose an end. */
  usage: usageSchema.optional().catch(undefined),
  modelUsage: z.record(z.string(), modelUsageSchema).optional().catch(undefined),
  /** Of the same requests as `modelUsage`. */
  total_cost_usd: z.number().nonnegative().optional().catch(undefined),
});

/** How the account stands with its limits; told with answers and refusals, only where the API tells the agent. */
const rateLimitSchema = z.looseObject({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.looseObject({
    status: z.string(),
    /** Epoch seconds. */
    resetsAt: z.number().positive().optional().catch(undefined),
  }),
});

const claudeMessageSchema = z.discriminatedUnion('type', [
  systemMessageSchema,
  /** Where a prompt of ours stands: `queued`, `started`, then `completed` or `cancelled`. */
  z.looseObject({ type: z.literal('command_lifecycle'), command_uuid: z.string(), state: z.string() }),
  z.looseObject({ type: z.literal('conversation_reset'), new_conversation_id: z.string().optional() }),
  assistantSchema,
  userSchema,
  resultSchema,
  rateLimitSchema,
  controlRequestSchema,
  controlResponseSchema,
  z.looseObject({ type: z.literal('control_cancel_request'), request_id: z.string() }),
]);

/** A message of Claude Code in stream mode. */
export type ClaudeMessage = z.infer<typeof claudeMessageSchema>;
/** A piece of what the agent said, a tool's use or its result. */
export type ContentBlock = z.infer<typeof contentBlockSchema>;
/** The end of a turn. */
export type ClaudeResult = z.infer<typeof resultSchema>;
/** Something Claude Code asks of us. */
export type ClaudeControlRequest = z.infer<typeof controlRequestSchema>;
/** Claude Code's answer to something we asked. */
export type ClaudeControlResponse = z.infer<typeof controlResponseSchema>;

// Most lines are of other types, one for every few words; those are not worth a look.
const KNOWN_TYPES: ReadonlySet<unknown> = new Set([
  'system',
  'command_lifecycle',
  'conversation_reset',
  'assistant',
  'user',
  'result',
  'rate_limit_event',
  'control_request',
  'control_response',
  'control_cancel_request',
]);

/** The message, or `null` for one that is not used here or is not as expected. */
export function readClaudeMessage(message: Readonly<Record<string, unknown>>): ClaudeMessage | null {
  if (!KNOWN_TYPES.has(message['type'])) return null;
  const parsed = claudeMessageSchema.safeParse(message);
  return parsed.success ? parsed.data : null;
}
