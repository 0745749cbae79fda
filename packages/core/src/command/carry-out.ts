import { assertNever } from '../errors.ts';
import type { SessionManager } from '../session/session-manager.ts';
import type { ParsedCommandBody } from './command.ts';
import { outputSliceToWire } from './wire-result.ts';

/** Does what a command asks for and answers in the shape `commandAnswerSchemas` names for its kind. */
export async function carryOut(sessions: SessionManager, body: ParsedCommandBody): Promise<unknown> {
  switch (body.kind) {
    case 'create_session':
      return sessions.create(body.spec);
    case 'send_prompt':
      return sessions.sendPrompt(body.sessionId, body.prompt, { ...body.options, turnId: body.turnId });
    case 'get_output':
      return outputSliceToWire(await sessions.getOutput(body.sessionId, body.range));
    case 'get_session':
      return sessions.get(body.sessionId);
    case 'list_sessions':
      return sessions.list(body.status === undefined ? {} : { status: body.status });
    case 'assign_workspace':
      return sessions.assign(body.sessionId, body.assignment);
    case 'get_turn':
      return sessions.getTurn(body.sessionId, body.turnId);
    case 'list_requests':
      return sessions.listRequests(body.sessionId === undefined ? {} : { sessionId: body.sessionId });
    default:
      await act(sessions, body);
      return null;
  }
}

type Action = Extract<
  ParsedCommandBody,
  { kind: 'send_text' | 'send_keystrokes' | 'resize' | 'answer_request' | 'cancel' | 'reset' | 'terminate' }
>;

function act(sessions: SessionManager, body: Action): Promise<void> {
  switch (body.kind) {
    case 'send_text':
      return sessions.sendText(body.sessionId, body.text);
    case 'send_keystrokes':
      return sessions.sendKeystrokes(body.sessionId, body.keys);
    case 'resize':
      return sessions.resize(body.sessionId, body.size);
    case 'answer_request':
      return sessions.answerRequest(body.requestId, body.answer, body.by === undefined ? {} : { by: body.by });
    case 'cancel':
      return sessions.cancel(body.sessionId);
    case 'reset':
      return sessions.reset(body.sessionId);
    case 'terminate':
      return sessions.terminate(body.sessionId, body.graceMs === undefined ? {} : { graceMs: body.graceMs });
    default:
      return assertNever(body);
  }
}
