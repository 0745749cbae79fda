import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Something a project was asked, and was not told of. */
export interface StalledCall {
  /** Whether whoever asked has given it up. */
  readonly isOver: boolean;
}

/** A line to a project, by HTTP alone, on which nothing moves any more when told so. */
export interface StallingLine extends AsyncDisposable {
  readonly url: string;
  stall(): void;
  /** Resolves once the function has been called on the stalled line. */
  asked(name: string): Promise<StalledCall>;
}

export async function stallingLine(to: string): Promise<StallingLine> {
  let isStalled = false;
  const calls = new Map<string, StalledCall>();
  const waits = new Set<() => void>();
  const hold = (incoming: IncomingMessage, response: ServerResponse): void => {
    const call = { isOver: false };
    response.on('close', () => (call.isOver = true));
    calls.set(incoming.url?.split('/').at(-1) ?? '', call);
    for (const look of waits) look();
  };
  const pass = ({ url, method, headers }: IncomingMessage, response: ServerResponse): NodeJS.WritableStream =>
    ask(new URL(url ?? '', to), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    }).on('error', () => response.destroy());
  const server = createServer((incoming, response) => {
    if (isStalled) hold(incoming, response);
    else incoming.pipe(pass(incoming, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall: () => void (isStalled = true),
    asked: (name) =>
      new Promise((resolve) => {
        const look = (): void => {
          const call = calls.get(name);
          if (call !== undefined) resolve(call);
        };
        waits.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
