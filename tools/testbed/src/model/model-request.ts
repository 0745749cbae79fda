import { z } from 'zod';
import { messagesBodySchema } from './messages-body.ts';
import type { MessagesBody } from './messages-body.ts';

/** What became of a request. Times are epoch milliseconds. */
export type RequestOutcome =
  | { readonly kind: 'pending' }
  | { readonly kind: 'answered'; readonly status: number; readonly lastByteAt: number }
  | { readonly kind: 'cut'; readonly lastByteAt: number }
  | { readonly kind: 'aborted'; readonly at: number };

/** One request the server received. It is kept for the server's whole life. */
export interface ModelRequest {
  /** 0 for the first request of this server. */
  readonly index: number;
  readonly method: string;
  /** With its query, such as `/v1/messages?beta=true`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body, byte for byte as UTF-8. */
  readonly rawBody: string;
  /** When the whole request had arrived, epoch milliseconds. */
  readonly at: number;
  /**
   * The parsed body, parsed at the first use.
   * @throws SyntaxError or ZodError when it is not a Messages request (`HEAD /` has no body).
   */
  readonly body: MessagesBody;
  /** A `POST /v1/messages` with a body that can be read. */
  readonly isMessage: boolean;
  /** A Messages request without tools: a title, a summary, a probe. It does not consume the script. */
  readonly isSideRequest: boolean;
  /** The CLI's id of the subagent that asks; undefined for the main agent. */
  readonly agentId: string | undefined;
  /**
   * Two requests of one conversation share this: the CLI's session id where it sends one, else the credential.
   * A subagent is a conversation of its own; `/clear` begins another.
   */
  readonly conversation: string;
  readonly outcome: RequestOutcome;
  /** When the answer's last byte was handed to the socket, epoch milliseconds; undefined while none was. */
  readonly lastByteAt: number | undefined;
}

/** What arrived, before anything is derived from it. */
export type RequestArrival = Pick<ModelRequest, 'index' | 'method' | 'path' | 'headers' | 'rawBody' | 'at'>;

/** A request as the server itself sees it: it may settle its outcome. */
export class ReceivedRequest implements ModelRequest {
  readonly index: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
  readonly at: number;
  outcome: RequestOutcome = { kind: 'pending' };
  #body: MessagesBody | undefined;

  constructor(arrival: RequestArrival) {
    this.index = arrival.index;
    this.method = arrival.method;
    this.path = arrival.path;
    this.headers = arrival.headers;
    this.rawBody = arrival.rawBody;
    this.at = arrival.at;
  }

  get body(): MessagesBody {
    this.#body ??= messagesBodySchema.parse(JSON.parse(this.rawBody));
    return this.#body;
  }

  get pathname(): string {
    return this.path.split('?', 1)[0] ?? '';
  }

  get isMessage(): boolean {
    return this.method === 'POST' && this.pathname === '/v1/messages' && this.#bodyError() === undefined;
  }

  get isSideRequest(): boolean {
    return this.isMessage && (this.body.tools ?? []).length === 0;
  }

  get agentId(): string | undefined {
    return this.headers['x-claude-code-agent-id'];
  }

  get conversation(): string {
    const session = this.headers['x-claude-code-session-id'] ?? metadataSessionId(this);
    return [session ?? credentialOf(this) ?? 'anonymous', this.agentId].filter((part) => part !== undefined).join('/');
  }

  get lastByteAt(): number | undefined {
    return 'lastByteAt' in this.outcome ? this.outcome.lastByteAt : undefined;
  }

  #bodyError(): unknown {
    try {
      return void this.body;
    } catch (error) {
      return error;
    }
  }
}

const userIdSchema = z.looseObject({ session_id: z.string() });

function metadataSessionId(request: ModelRequest): string | undefined {
  try {
    return userIdSchema.parse(JSON.parse(request.body.metadata?.user_id ?? '')).session_id;
  } catch {
    return undefined;
  }
}

/** The API key or bearer token a request came with, without the word `Bearer`. */
export function credentialOf({ headers }: Pick<ModelRequest, 'headers'>): string | undefined {
  return headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /i, '');
}
