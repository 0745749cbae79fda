#!/usr/bin/env node
// Speaks like Claude Code in stream mode, without a model. The prompt `emit RATE COUNT` makes it print COUNT tokens, RATE a
// second, each with the time at which it is printed: of the clock that all processes of a machine share.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { sharedClockMs } from './shared-clock.ts';

/** What is understood of what a session says. */
interface Said {
  readonly type: string;
  readonly request_id?: string;
  readonly uuid?: string;
  readonly message?: { readonly content: readonly { readonly text: string }[] };
}

const CONVERSATION = '00000000-0000-4000-8000-000000000000';

if (process.argv.includes('--version')) {
  process.stdout.write('2.1.329 (scripted)\n');
} else {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { type, request_id: id, uuid, message } = JSON.parse(line) as Said;
    if (type === 'control_request')
      print({ type: 'control_response', response: { subtype: 'success', request_id: id } });
    if (type !== 'user') return;
    const [rate = 1, count = 0] = (message?.content[0]?.text ?? '').split(' ').slice(1).map(Number);
    void emit({ uuid, rate, count });
  });
}

async function emit({ uuid, rate, count }: { uuid: string | undefined; rate: number; count: number }): Promise<void> {
  print({ type: 'system', subtype: 'session_state_changed', state: 'running' });
  print({ type: 'command_lifecycle', command_uuid: uuid, state: 'started' });
  const startedAt = sharedClockMs();
  for (let index = 0; index < count; index += 1) {
    const waitMs = startedAt + (index * 1000) / rate - sharedClockMs();
    if (waitMs > 0) await new Promise((resolve) => void setTimeout(resolve, waitMs));
    printToken(index);
  }
  const result = String(sharedClockMs() - startedAt);
  print({ type: 'result', subtype: 'success', is_error: false, result, user_message_uuids: [uuid] });
  print({ type: 'system', subtype: 'session_state_changed', state: 'idle' });
}

function printToken(index: number): void {
  const delta = { type: 'text_delta', text: `token ${index} ` };
  const event = { type: 'content_block_delta', index: 0, delta };
  print({
    type: 'stream_event',
    event,
    session_id: CONVERSATION,
    parent_tool_use_id: null,
    printedAt: sharedClockMs(),
  });
}

function print(message: object): void {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      // The pipe is full and does not block; there is nothing else to do.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}
