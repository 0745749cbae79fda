import { credentialOf } from './model-request.ts';
import { promptTexts } from './messages-body.ts';
import type { ModelRequest } from './model-request.ts';
import type { ModelStep } from './model-step.ts';
import { failWith } from './step-builders.ts';

/** Answers one request. Throwing is a failed expectation: the client gets a 400, the server keeps the error. */
export type AnswerRequest = (request: ModelRequest) => ModelStep | Promise<ModelStep>;

/**
 * What the model does. A list is walked once per conversation: each CLI session starts at the first step and moves
 * one step with each request, retries included. After its last step a request gets a 400 that says so. A subagent
 * starts at the first step too: give it its own list with `routeScripts` and `fromSubagent`.
 */
export type ModelScript = readonly ModelStep[] | AnswerRequest;

/** One script for the requests that satisfy `when`. */
export interface ScriptRoute {
  readonly when: (request: ModelRequest) => boolean;
  readonly script: ModelScript;
}

/** Turns any script into a function that remembers how far each conversation has come. */
export function playScript(script: ModelScript): AnswerRequest {
  if (typeof script === 'function') return script;
  const positions = new Map<string, number>();
  return ({ conversation }) => {
    const position = positions.get(conversation) ?? 0;
    positions.set(conversation, position + 1);
    return script[position] ?? exhausted(script.length);
  };
}

function exhausted(stepCount: number): ModelStep {
  return failWith(400, 'invalid_request_error', { message: `The script has no step after its ${stepCount}.` });
}

/**
 * Gives each conversation its own script: the first route whose `when` is true for a request answers it.
 * Without such a route, `otherwise` does; without that, the request gets a 400.
 * @example
 * routeScripts([
 *   { when: promptIncludes('login page'), script: [useTool('Bash', { command: 'ls' }), say('Done.')] },
 *   { when: credentialIs('sk-second'), script: [say('Hello.')] },
 * ])
 */
export function routeScripts(
  routes: readonly ScriptRoute[],
  { otherwise }: { readonly otherwise?: ModelScript } = {},
): AnswerRequest {
  const played = routes.map(({ when, script }) => ({ when, answer: playScript(script) }));
  const fallback = playScript(otherwise ?? (() => unrouted));
  return (request) => {
    const route = played.find(({ when }) => when(request));
    return (route?.answer ?? fallback)(request);
  };
}

const unrouted = failWith(400, 'invalid_request_error', { message: 'No script is routed to this request.' });

/** True for requests of a conversation in which any prompt contains `text`. */
export function promptIncludes(text: string): (request: ModelRequest) => boolean {
  return (request) => promptTexts(request).some((prompt) => prompt.includes(text));
}

/** True for requests whose newest prompt contains `text`: for several jobs in one warm session. */
export function latestPromptIncludes(text: string): (request: ModelRequest) => boolean {
  return (request) => promptTexts(request).at(-1)?.includes(text) ?? false;
}

/** True for requests that carry this API key or bearer token. */
export function credentialIs(credential: string): (request: ModelRequest) => boolean {
  return (request) => credentialOf(request) === credential;
}

/** True for requests of subagents. */
export function fromSubagent({ agentId }: ModelRequest): boolean {
  return agentId !== undefined;
}
