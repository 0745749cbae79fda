import { assertNever } from '../errors.ts';
import type { AttemptReason } from './run-line.ts';

/** What the text of a prompt depends on. */
export interface JobPrompt {
  readonly prompt: string;
  readonly context: Readonly<Record<string, string>>;
  readonly reason: AttemptReason;
  /** Whether the agent remembers the attempt before. */
  readonly remembers: boolean;
}

/**
 * What an agent is told for an attempt at a job. A first attempt without context is the prompt as it was given, byte for
 * byte; later ones begin by saying what became of the one before. Pure.
 */
export function jobPrompt({ prompt, context, reason, remembers }: JobPrompt): string {
  const told = [prompt, ...contextLines(context)].join('\n');
  const happened = whatHappened(reason);
  if (happened === null) return told;
  const where = remembers
    ? 'in this conversation and in this folder'
    : 'in this folder, though not in this conversation';
  return `${happened} What was done by then is still ${where}: look at it before you go on, and do nothing twice. Finish the job, which was:\n\n${told}`;
}

function contextLines(context: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(context);
  if (entries.length === 0) return [];
  return [
    '',
    'Context:',
    ...entries.map(([name, value]) => (value.includes('\n') ? `- ${name}:\n${value}` : `- ${name}: ${value}`)),
  ];
}

/** The sentence for an attempt that follows one that may have begun its work; `null` where none did. */
function whatHappened(reason: AttemptReason): string | null {
  switch (reason) {
    case 'first':
    case 'not_delivered':
    case 'capacity':
      return null;
    case 'timeout':
      return 'The last attempt at this job took too long and was interrupted.';
    case 'crash':
      return 'The last attempt at this job was cut short: the agent ended unexpectedly.';
    case 'conversation_lost':
      return 'The last attempt at this job was cut short.';
    case 'host_lost':
    case 'restart':
      return 'The last attempt at this job was cut short: its machine was lost from sight.';
    case 'overloaded':
    case 'rate_limit':
      return 'The last attempt at this job was cut short: the model could not be reached for a while.';
    case 'by_hand':
      return 'This job is to be gone on with.';
    default:
      return assertNever(reason);
  }
}
