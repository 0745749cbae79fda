import type { ModelServer } from '../src/index.ts';

/** What a test says to the model. */
export interface AskOptions {
  readonly prompt?: string;
  readonly stream?: boolean;
  readonly tools?: readonly { name: string }[];
  readonly session?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends one Messages request, as an agent with tools unless told otherwise. */
export function ask(server: Pick<ModelServer, 'url'>, options: AskOptions = {}): Promise<Response> {
  const {
    prompt = 'Hello',
    stream = true,
    tools = [{ name: 'Bash' }],
    session = 'session-1',
    headers,
    signal,
  } = options;
  return fetch(`${server.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': session, ...headers },
    body: JSON.stringify({ model: 'claude-test', stream, tools, messages: [{ role: 'user', content: prompt }] }),
    signal: signal ?? null,
  });
}
