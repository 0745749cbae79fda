import { SemoError } from '@semo-office/core';

/** The error for anything asked of a session whose agent is gone. */
export function terminatedError(sessionId: string): SemoError {
  return new SemoError(
    'session_terminated',
    `Session ${sessionId} has terminated. Create a new one; its output can still be read.`,
  );
}
