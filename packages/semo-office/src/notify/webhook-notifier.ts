import { SemoError, systemClock, type Clock, type Notice, type Notifier } from '@semo-office/core';

/** Options of {@link webhookNotifier}. */
export interface WebhookNotifierOptions {
  /** Where to post: https, or http on this machine. It is a secret: it is in no error and no log of ours. */
  readonly url: string;
  /** More headers, for example an authorization. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long one attempt may take, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number | undefined;
  /** How often it is tried again where that can help. Default 2. */
  readonly retries?: number | undefined;
  readonly clock?: Clock | undefined;
}

const FIRST_PAUSE_MS = 500;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Posts each notice as `{ "text": … }`, which is what Slack's incoming webhooks take. Redirects are not followed.
 *
 * @throws SemoError `invalid_argument`: an address that is none, or would send it in the clear.
 * @example
 * ```ts
 * const notifier = webhookNotifier({ url: process.env.SLACK_WEBHOOK_URL ?? '' });
 * const office = createLocalOffice({ requests: { notifier } });
 * ```
 */
export function webhookNotifier(options: WebhookNotifierOptions): Notifier {
  const { timeoutMs = 10_000, retries = 2, clock = systemClock } = options;
  const url = checkedUrl(options.url);
  const headers = checkedHeaders(options.headers);
  return {
    async notify(notice, { signal }) {
      for (let attempt = 0; ; attempt += 1) {
        const fault = await post({ url, headers, body: bodyOf(notice), timeoutMs, clock, signal });
        if (fault === null) return;
        if (!fault.mayPass || attempt >= retries || signal.aborted)
          throw new SemoError('notify_failed', `The webhook was not told: ${fault.message}`);
        await pause(FIRST_PAUSE_MS * 2 ** attempt, { clock, signal });
      }
    },
  };
}

function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new SemoError('invalid_argument', 'The address of the webhook is no URL.');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url;
  throw new SemoError(
    'invalid_argument',
    'A webhook takes https, or http on this machine; nothing goes out in the clear.',
  );
}

function checkedHeaders(given: Readonly<Record<string, string>> = {}): Headers {
  try {
    const headers = new Headers(given);
    headers.set('content-type', 'application/json');
    return headers;
  } catch {
    // What it would say holds the header, which may be a secret.
    throw new SemoError('invalid_argument', 'A header of the webhook is not valid.');
  }
}

/** In Slack's words: `<`, `>` and `&` would make links and mentions of what an agent says. */
function bodyOf({ sentence }: Notice): string {
  const text = sentence.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return JSON.stringify({ text });
}

interface Fault {
  readonly message: string;
  /** Trying again can help. */
  readonly mayPass: boolean;
}

async function post({
  url,
  headers,
  body,
  timeoutMs,
  clock,
  signal,
}: {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Fault | null> {
  const limit = new AbortController();
  const cancelLimit = clock.schedule(timeoutMs, () => limit.abort());
  try {
    const until = AbortSignal.any([signal, limit.signal]);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: until });
    await response.body?.cancel();
    if (response.ok) return null;
    const { status } = response;
    return { message: `it answered with status ${status}.`, mayPass: status === 429 || status >= 500 };
  } catch (thrown) {
    if (signal.aborted) return { message: 'there was no more time.', mayPass: false };
    if (limit.signal.aborted) return { message: `it did not answer within ${timeoutMs} ms.`, mayPass: true };
    return { message: `it could not be reached (${codeOf(thrown)}).`, mayPass: true };
  } finally {
    cancelLimit();
  }
}

/** The system's word for what went wrong; the sentence around it holds the address. */
function codeOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no reason given';
}

function pause(ms: number, { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.schedule(ms, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
