import { FakeClock } from '@semo-office/core/testing';
import { isSemoError, type Evidence } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { readClaudeMessage } from '../../../../src/agent/claude/stream/message.ts';
import { ClaudeStreamTurn } from '../../../../src/agent/claude/stream/stream-turn.ts';

const OURS = 'our-prompt';

/** A turn, what it reports, and how to let Claude Code say things. */
function scene() {
  const clock = new FakeClock();
  const evidence: Evidence[] = [];
  const turn = new ClaudeStreamTurn({ clock, report: (each) => evidence.push(each) });
  const say = (...messages: readonly Record<string, unknown>[]) => {
    for (const each of messages) {
      const message = readClaudeMessage(each);
      if (message === null) throw new Error(`Not read: ${JSON.stringify(each)}`);
      turn.onMessage(message);
    }
  };
  const kinds = () => evidence.map(({ kind }) => kind);
  return { clock, evidence, turn, say, kinds };
}

const system = (subtype: string, more: Record<string, unknown> = {}) => ({ type: 'system', subtype, ...more });
const state = (name: string) => system('session_state_changed', { state: name });
const tasks = (...ids: readonly string[]) =>
  system('background_tasks_changed', { tasks: ids.map((id) => ({ task_id: id })) });
const lifecycle = (name: string, uuid = OURS) => ({ type: 'command_lifecycle', command_uuid: uuid, state: name });
const said = (text: string, more: Record<string, unknown> = {}) => ({
  type: 'assistant',
  message: { content: [{ type: 'text', text }] },
  ...more,
});
const result = (more: Record<string, unknown> = {}) => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  result: 'Done.',
  user_message_uuids: [OURS],
  ...more,
});
const woken = { user_message_uuids: undefined, origin: { kind: 'task-notification' } };

describe('the acceptance of a prompt', () => {
  it('is the start of its own turn, not its place in a queue, nor the turn of another', async () => {
    const { turn, say, kinds } = scene();
    const accepted = turn.offer(OURS);
    say(state('running'), lifecycle('queued'), lifecycle('started', 'another'), system('init'), result(woken));
    expect(kinds()).toEqual([]);
    say(lifecycle('started'));
    await accepted;
    expect(kinds()).toEqual(['accepted']);
  });

  it('is read from the turn’s beginning, or its result, where a version tells no more', async () => {
    const early = scene();
    const accepted = early.turn.offer(OURS);
    early.say(system('init', { user_message_uuids: [OURS] }));
    await accepted;
    const late = scene();
    const answered = late.turn.offer(OURS);
    late.say(result());
    await answered;
    expect(late.kinds()).toEqual(['accepted', 'agent_end']);
  });

  it('is the beginning of work where an old version says nothing of prompts', async () => {
    const { turn, say, kinds } = scene();
    const accepted = turn.offer(OURS);
    say(state('running'), system('init'));
    await accepted;
    say(result({ user_message_uuids: undefined }));
    expect(kinds()).toEqual(['accepted', 'agent_end']);
  });

  it('is the prompt told again where an old version may have begun something else', async () => {
    const { turn, say, kinds } = scene();
    const accepted = turn.offer(OURS);
    say(system('task_notification'), system('init'), result({ user_message_uuids: undefined }));
    expect(kinds()).toEqual([]);
    const prompt = { type: 'user', message: { content: 'Go.' }, isReplay: true };
    say({ ...prompt, uuid: 'another' }, { ...prompt, uuid: OURS });
    await accepted;
    expect(kinds()).toEqual(['accepted']);
  });

  it('is refused when the prompt is taken off the queue', async () => {
    const { turn, say, kinds } = scene();
    const accepted = turn.offer(OURS);
    say(lifecycle('queued'), lifecycle('cancelled'));
    const thrown: unknown = await accepted.catch((error: unknown) => error);
    expect(isSemoError(thrown, 'prompt_not_accepted')).toBe(true);
    say(result());
    expect(kinds()).toEqual([]);
  });
});

describe('the end of a turn', () => {
  const begun = () => {
    const all = scene();
    void all.turn.offer(OURS);
    all.say(state('running'), lifecycle('started'));
    return all;
  };

  it('is its own result, at once and once', () => {
    const { say, evidence, kinds } = begun();
    say(said('Well.'), result({ user_message_uuids: ['another'] }), result(woken));
    expect(kinds()).toEqual(['accepted']);
    say(result(), result(), state('idle'));
    expect(kinds()).toEqual(['accepted', 'agent_end']);
    expect(evidence.at(-1)).toMatchObject({ text: 'Done.', backgroundTasks: 0 });
  });

  it('has the agent’s last words where the result has none, and never a subagent’s', () => {
    const { say, evidence } = begun();
    say(said('Mine.'), said('A subagent’s.', { parent_tool_use_id: 'tool' }), result({ result: null }));
    expect(evidence.at(-1)).toMatchObject({ text: 'Mine.' });
  });

  it('is a pause while background tasks run, however many', () => {
    const { say, evidence } = begun();
    say(tasks('a', 'b'), result({ result: 'Started.' }), state('idle'));
    say(system('task_notification'), tasks('b'), state('running'), system('init'));
    say(result({ ...woken, result: 'One is done.' }), state('idle'));
    say(system('task_notification'), tasks(), state('running'), system('init'));
    say(result({ ...woken, result: 'Both are.' }));
    expect(evidence.map((each) => (each.kind === 'agent_end' ? each.backgroundTasks : each.kind))).toEqual([
      'accepted',
      2,
      'self_started',
      1,
      'self_started',
    ]);
    say(state('idle'));
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', text: 'Both are.', backgroundTasks: 0 });
  });

  it('comes after a while when the last task ends and the agent sleeps on', () => {
    const { say, evidence, clock, kinds } = begun();
    say(said('Started.'), tasks('a'), result({ result: 'Started.' }), state('idle'), tasks());
    clock.advance(4999);
    expect(kinds().filter((kind) => kind === 'agent_end')).toHaveLength(1);
    clock.advance(1);
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', text: 'Started.', backgroundTasks: 0 });
    clock.advance(60_000);
    expect(kinds().filter((kind) => kind === 'agent_end')).toHaveLength(2);
  });

  it('does not come by itself when the agent wakes in time', () => {
    const { say, clock, kinds } = begun();
    say(tasks('a'), result(), state('idle'), tasks());
    clock.advance(100);
    say(state('running'));
    clock.advance(60_000);
    expect(kinds().filter((kind) => kind === 'agent_end')).toHaveLength(1);
  });

  it('is a failure at once, also while tasks run', () => {
    const { say, evidence } = begun();
    say(tasks('a'), said('API Error: Overloaded', { error: 'overloaded' }));
    say(result({ is_error: true, terminal_reason: 'api_error', result: 'API Error: Overloaded' }));
    expect(evidence.at(-1)).toMatchObject({
      kind: 'agent_end',
      backgroundTasks: 0,
      error: { code: 'agent_overloaded' },
    });
  });

  it('by an interrupt that was not ours waits for what comes of it', () => {
    const { say, evidence, kinds } = begun();
    const interrupted = { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' };
    say(result({ ...interrupted, result: null }));
    expect(kinds()).toEqual(['accepted']);
    say(state('idle'));
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', error: { code: 'agent_failed' } });
  });

  it('is nobody’s once the turn is forgotten', () => {
    const { turn, say, kinds } = begun();
    turn.forget();
    say(result(), state('idle'));
    expect(kinds()).toEqual(['accepted']);
    expect(turn.isAtRest).toBe(true);
  });

  it.each([
    { status: 429, code: 'agent_rate_limited' },
    { status: 403, code: 'sign_in_refused' },
    { status: 413, code: 'agent_rejected' },
    { status: 503, code: 'agent_overloaded' },
    { status: undefined, code: 'agent_failed' },
  ])('is $code by HTTP status $status where the agent names no reason', ({ status, code }) => {
    const { say, evidence } = begun();
    say(result({ is_error: true, terminal_reason: 'api_error', api_error_status: status, result: 'API Error' }));
    expect(evidence.at(-1)).toMatchObject({ error: { code } });
  });
});

describe('messages that are not as expected', () => {
  it.each([
    { type: 'stream_event' },
    { type: 'system', subtype: 'unheard_of' },
    { type: 'system', subtype: 'background_tasks_changed', tasks: 'none' },
    { type: 'result' },
    { type: 'assistant', message: 'text' },
    {},
  ])('are let pass: %j', (message) => {
    expect(readClaudeMessage(message)).toBeNull();
  });
});

describe('the background tasks of an old version', () => {
  const started = (id: string, more: Record<string, unknown> = {}) => system('task_started', { task_id: id, ...more });
  const updated = (id: string, status: string) => system('task_updated', { task_id: id, patch: { status } });

  it('are counted one by one', async () => {
    const { turn, say, evidence } = scene();
    const accepted = turn.offer(OURS);
    say(system('init'), started('a'), started('b'), started('c', { is_backgrounded: false }), updated('b', 'running'));
    await accepted;
    expect(turn.tasks).toEqual(['a', 'b']);
    say(updated('a', 'completed'), result({ user_message_uuids: undefined }));
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', backgroundTasks: 1 });
  });

  it('do not count where the version lists them', () => {
    const { turn, say } = scene();
    say(tasks('a'), started('a'), started('b'), updated('a', 'completed'));
    expect(turn.tasks).toEqual(['a']);
  });
});

describe('tasks that turns before have left running', () => {
  it('hold no later turn up', async () => {
    const { turn, say, evidence } = scene();
    say(tasks('older'));
    const accepted = turn.offer(OURS);
    say(lifecycle('started'), tasks('older', 'own'), result());
    await accepted;
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', backgroundTasks: 1 });
    say(tasks('older'), state('idle'), system('init'), result(woken));
    expect(evidence.at(-1)).toMatchObject({ kind: 'agent_end', backgroundTasks: 0 });
  });
});
