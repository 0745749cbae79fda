import { z } from 'zod';

import { assertNever } from '../errors.ts';
import type { RequestNotice } from '../notifier.ts';
import type { HumanRequest } from '../session/human-request.ts';
import type { SettledState } from '../session/request-record.ts';
import { textStart } from '../text-start.ts';
import { redacted, redactedText } from './redaction.ts';

const MOST_CHARACTERS = 1000;

const questionsSchema = z.object({
  questions: z.array(z.object({ question: z.string(), options: z.array(z.object({ label: z.string() })).optional() })),
});

/** Tells that a person is needed, and for what. */
export function openedNotice(request: HumanRequest): RequestNotice {
  const { requestId, sessionId, turnId, kind, tool, input, askedAt, expiresAt } = request;
  const wanted =
    kind === 'question' ? `asks: ${questionText(input)}` : `asks leave to use ${tool ?? 'a tool'}${inputText(input)}`;
  return {
    kind: 'request_opened',
    sentence: cut(`Session ${sessionId} ${wanted} (request ${requestId})`),
    requestId,
    sessionId,
    turnId,
    at: askedAt,
    for: kind,
    ...(tool === undefined ? {} : { tool }),
    ...(input === undefined ? {} : { input: redacted(input) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** Tells that nobody is needed any more. */
export function settledNotice(
  { requestId, sessionId, turnId, tool }: HumanRequest,
  state: SettledState,
): RequestNotice {
  const outcome = outcomeOf(state);
  const by = state.kind === 'answered' ? state.by : undefined;
  const what = tool === undefined ? `Request ${requestId}` : `The request for ${tool} (${requestId})`;
  return {
    kind: 'request_settled',
    sentence: cut(
      `${what} of session ${sessionId} ${outcome === 'expired' ? 'has' : 'was'} ${outcome}${by === undefined ? '' : ` by ${by}`}.`,
    ),
    requestId,
    sessionId,
    turnId,
    at: state.at,
    outcome,
    ...(by === undefined ? {} : { by }),
  };
}

function outcomeOf(state: SettledState): Extract<RequestNotice, { kind: 'request_settled' }>['outcome'] {
  switch (state.kind) {
    case 'answered':
      return state.answer.behavior === 'allow' ? 'allowed' : 'denied';
    case 'withdrawn':
    case 'expired':
      return state.kind;
    default:
      return assertNever(state);
  }
}

function questionText(input: unknown): string {
  const parsed = questionsSchema.safeParse(input);
  if (!parsed.success) return inputText(input).replace(/^: /, '') || 'a question';
  return parsed.data.questions
    .map(({ question, options = [] }) => {
      const choices = options.map(({ label }) => redactedText(label)).join(', ');
      return `${redactedText(question)}${choices === '' ? '' : ` (${choices})`}`;
    })
    .join(' ');
}

/** The command or file a tool is for says more than its whole input. */
function inputText(input: unknown): string {
  if (input === undefined) return '';
  const shown = redacted(input);
  if (typeof shown === 'object' && shown !== null) {
    for (const name of ['command', 'file_path', 'url', 'path']) {
      const value = (shown as Record<string, unknown>)[name];
      if (typeof value === 'string') return `: ${value}`;
    }
  }
  return `: ${JSON.stringify(shown)}`;
}

function cut(sentence: string): string {
  return sentence.length > MOST_CHARACTERS ? `${textStart(sentence, MOST_CHARACTERS)}…` : sentence;
}
