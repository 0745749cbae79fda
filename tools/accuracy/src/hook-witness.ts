import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What the agent itself told, and when it told it. */
export interface HookCall {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: string;
  readonly input: unknown;
}

/** Hears the hooks of an agent beside its driver: the witness of when the agent itself said that it was done. */
export interface HookWitness extends AsyncDisposable {
  readonly calls: readonly HookCall[];
  /** What the settings of the agent's folder must hold. */
  readonly settings: object;
}

const EVENTS = [
  'UserPromptSubmit',
  'PostToolUse',
  'PostToolUseFailure',
  'Stop',
  'StopFailure',
  'PermissionRequest',
  'SubagentStop',
  'SessionEnd',
] as const;

/** Starts a witness on loopback. */
export async function startHookWitness(): Promise<HookWitness> {
  const calls: HookCall[] = [];
  const server = createServer((request, response) => {
    const at = Date.now();
    text(request)
      .then((body) => calls.push({ at, event: request.url?.slice(1) ?? '', input: JSON.parse(body) }))
      .catch(() => undefined)
      .finally(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hook = (event: string) => [{ matcher: '*', hooks: [{ type: 'http', url: `${url}/${event}` }] }];
  return {
    calls,
    settings: { hooks: Object.fromEntries(EVENTS.map((event) => [event, hook(event)])) },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
