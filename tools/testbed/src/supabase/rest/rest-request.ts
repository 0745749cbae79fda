import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { RestError } from './rest-error.ts';

/** A request as PostgREST reads it. */
export interface RestRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';
  readonly target: { readonly kind: 'function' | 'table'; readonly name: string };
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly preferences: ReadonlySet<string>;
  /** One object is asked for, not a list. */
  readonly wantsObject: boolean;
  /** For `request.headers`. */
  readonly headers: Readonly<Record<string, unknown>>;
}

const exposedSchema = 'public';
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']);

/** @throws RestError when it cannot be a request. */
export async function readRestRequest(incoming: IncomingMessage, url: URL): Promise<RestRequest> {
  const { headers, method = '' } = incoming;
  if (!methods.has(method))
    throw new RestError(405, { code: 'PGRST117', message: `Unsupported HTTP method: ${method}` });
  for (const profile of [headers['accept-profile'], headers['content-profile']]) {
    if (profile === undefined || profile === exposedSchema) continue;
    const hint = `Only the following schemas are exposed: ${exposedSchema}`;
    throw new RestError(406, { code: 'PGRST106', message: `Invalid schema: ${String(profile)}`, hint });
  }
  const match = /^\/rest\/v1\/(rpc\/)?([^/]+)$/.exec(url.pathname);
  if (match === null) throw new RestError(404, { code: 'PGRST125', message: 'Invalid path specified in request URL' });
  return {
    method: method as RestRequest['method'],
    target: { kind: match[1] === undefined ? 'table' : 'function', name: decodeURIComponent(match[2] ?? '') },
    query: url.searchParams,
    body: parseBody(await text(incoming)),
    preferences: new Set(String(headers['prefer'] ?? '').split(/\s*,\s*/)),
    wantsObject: (headers.accept ?? '').includes('application/vnd.pgrst.object+json'),
    headers,
  };
}

function parseBody(body: string): unknown {
  if (body === '') return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new RestError(400, { code: 'PGRST102', message: 'Empty or invalid json' });
  }
}
