import { z } from 'zod';

const contentBlockSchema = z.looseObject({ type: z.string() });

const messageSchema = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(contentBlockSchema)]),
});

/** The part of a Messages API request that tests look at; everything else is kept as it came. */
export const messagesBodySchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  messages: z.array(messageSchema),
  system: z.union([z.string(), z.array(contentBlockSchema)]).optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  metadata: z.looseObject({ user_id: z.string().optional() }).optional(),
});

/** A parsed request body. */
export type MessagesBody = z.infer<typeof messagesBodySchema>;

/** One block of a message: `text`, `tool_use`, `tool_result`, `image` … */
export type ContentBlock = z.infer<typeof contentBlockSchema>;

type Message = MessagesBody['messages'][number];

function blocksOf(message: Message): readonly ContentBlock[] {
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
}

function textOf(block: ContentBlock): string | undefined {
  return block.type === 'text' && typeof block.text === 'string' ? block.text : undefined;
}

function textsOf(blocks: readonly ContentBlock[]): string[] {
  return blocks.map(textOf).filter((text) => text !== undefined);
}

function isReminder(text: string): boolean {
  return text.trimStart().startsWith('<system-reminder>');
}

/** Anything that carries a parsed body; a `ModelRequest` does. */
export interface HasBody {
  readonly body: MessagesBody;
}

/**
 * Every text block of the user's messages, oldest first, the CLI's own `<system-reminder>` blocks included.
 * @example expect(userTexts(request).join('\n')).toContain(prompt)
 */
export function userTexts({ body }: HasBody): string[] {
  return body.messages.filter(({ role }) => role === 'user').flatMap((message) => textsOf(blocksOf(message)));
}

/**
 * What a person (or we) typed: `userTexts` without blocks that are a `<system-reminder>`.
 * @example expect(promptTexts(request).at(-1)).toBe('Add a health route')
 */
export function promptTexts(request: HasBody): string[] {
  return userTexts(request).filter((text) => !isReminder(text));
}

/** The system prompt's text, then the text of every `system` message the CLI sent within the conversation. */
export function systemTexts({ body }: HasBody): string[] {
  const prompt = typeof body.system === 'string' ? [body.system] : textsOf(body.system ?? []);
  const within = body.messages.filter(({ role }) => role === 'system').flatMap((message) => textsOf(blocksOf(message)));
  return [...prompt, ...within];
}

/** What a tool answered, as the model was told. */
export interface ToolResult {
  readonly toolUseId: string;
  readonly text: string;
  readonly isError: boolean;
}

function toolResult(block: ContentBlock): ToolResult {
  const content = z
    .union([z.string(), z.array(contentBlockSchema)])
    .catch('')
    .parse(block.content);
  return {
    toolUseId: String(block.tool_use_id),
    text: typeof content === 'string' ? content : textsOf(content).join('\n'),
    isError: block.is_error === true,
  };
}

/**
 * The tool results of the newest user message that has any; empty when no tool has run.
 * @example expect(lastToolResults(request)[0]?.text).toContain('1 file changed')
 */
export function lastToolResults({ body }: HasBody): ToolResult[] {
  const withResults = body.messages
    .filter(({ role }) => role === 'user')
    .map((message) => blocksOf(message).filter(({ type }) => type === 'tool_result'))
    .filter((results) => results.length > 0);
  return (withResults.at(-1) ?? []).map(toolResult);
}
