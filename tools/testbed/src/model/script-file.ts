import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { latestPromptIncludes, routeScripts } from './model-script.ts';
import type { ModelScript } from './model-script.ts';
import type { ModelStep } from './model-step.ts';

const textFields = {
  thinking: z.string().exactOptional(),
  pace: z
    .strictObject({ bytesPerChunk: z.number().int().positive(), delayMs: z.number().nonnegative() })
    .exactOptional(),
};

const headersSchema = z.record(z.string(), z.string());
const stopReasonSchema = z.enum(['end_turn', 'max_tokens', 'refusal', 'stop_sequence', 'pause_turn']);
const toolUseSchema = z.strictObject({ name: z.string().min(1), input: z.record(z.string(), z.unknown()) });

/** One step of a script file: the same data as `ModelStep`. */
const modelStepSchema: z.ZodType<ModelStep> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('text'),
    text: z.string(),
    stopReason: stopReasonSchema.exactOptional(),
    ...textFields,
  }),
  z.strictObject({
    kind: z.literal('tools'),
    uses: z.array(toolUseSchema).min(1),
    text: z.string().exactOptional(),
    ...textFields,
  }),
  z.strictObject({
    kind: z.literal('long'),
    lines: z.number().int().positive(),
    line: z.string().exactOptional(),
    delayMs: z.number().nonnegative().exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('error'),
    status: z.number().int().min(400).max(599),
    errorType: z.string(),
    message: z.string().default('Scripted error'),
    headers: headersSchema.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('cut'),
    at: z.enum(['connection', 'start', 'text']).default('text'),
    text: z.string().exactOptional(),
  }),
  z.strictObject({ kind: z.literal('hang'), text: z.string().exactOptional(), thenText: z.string().exactOptional() }),
]);

const stepsSchema = z.array(modelStepSchema).min(1);

/** A script file: a list of steps, or lists chosen by what the newest prompt contains. */
const scriptFileSchema = z.union([
  stepsSchema,
  z.strictObject({
    routes: z.array(z.strictObject({ promptIncludes: z.string().min(1), steps: stepsSchema })),
    otherwise: stepsSchema.exactOptional(),
  }),
]);

/**
 * Reads a script from the text of a JSON file.
 * @throws SyntaxError or ZodError.
 * @example parseScript('[{ "kind": "text", "text": "Done." }]')
 */
export function parseScript(json: string): ModelScript {
  const file = scriptFileSchema.parse(JSON.parse(json));
  if (Array.isArray(file)) return file;
  const routes = file.routes.map(({ promptIncludes, steps }) => ({
    when: latestPromptIncludes(promptIncludes),
    script: steps,
  }));
  return routeScripts(routes, file.otherwise ? { otherwise: file.otherwise } : {});
}

/** Reads a script file; see `parseScript`. */
export async function readScript(path: string): Promise<ModelScript> {
  return parseScript(await readFile(path, 'utf8'));
}
