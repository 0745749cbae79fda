import type { HumanAnswer, HumanRequest, SessionManager } from '@semo-office/core';

/** A session in which somebody asks. */
interface Asking {
  readonly sessions: SessionManager;
  readonly sessionId: string;
}

/** The next request of a session that is not among those known. */
export async function nextRequest(
  { sessions, sessionId }: Asking,
  known: readonly string[] = [],
): Promise<HumanRequest> {
  const isNew = (request: HumanRequest) => request.sessionId === sessionId && !known.includes(request.requestId);
  const { promise, resolve } = Promise.withResolvers<HumanRequest>();
  const stop = sessions.on('request', ({ request }) => {
    if (isNew(request)) resolve(request);
  });
  const open = (await sessions.listRequests({ sessionId })).find(isNew);
  if (open !== undefined) resolve(open);
  return promise.finally(stop);
}

/** Gives these answers, one after the other, as they are asked for. */
export async function answerInOrder(asking: Asking, answers: readonly HumanAnswer[]): Promise<void> {
  const known: string[] = [];
  for (const answer of answers) {
    const { requestId } = await nextRequest(asking, known);
    known.push(requestId);
    await asking.sessions.answerRequest(requestId, answer);
  }
}
