import type { TurnUsage } from '../src/monitor/usage.ts';

/** One thing a scripted agent does. */
export type Step =
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'ask'; readonly for: 'permission' | 'question'; readonly what: string }
  | { readonly kind: 'progress'; readonly percent: number }
  | { readonly kind: 'commit'; readonly hash: string }
  | { readonly kind: 'fail'; readonly message: string }
  | { readonly kind: 'usage'; readonly usage: TurnUsage }
  | { readonly kind: 'late'; readonly usage: TurnUsage | null }
  | { readonly kind: 'dirty' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'hang' };

const DIRECTIVE =
  /^(print|say|wait|work|lines|ask|question|progress|commit|fail|usage|late|dirty|crash|hang)\b\s*([^:]*)(?::\s?(.*))?$/;

/**
 * What a scripted agent does with a prompt. Each line is one directive, done in order:
 *
 * - `say: hello`: prints `hello` and makes it (a line of) the final message.
 * - `print: hello`: only prints it.
 * - `lines 3`: prints `line 1` … `line 3`.
 * - `wait 500`: lets 500 milliseconds pass.
 * - `work 500: done`: `wait 500`, then `say: done`.
 * - `ask: Bash`: asks for leave to use a tool; says `allowed`, or `denied: …`.
 * - `question: Which colour?`: asks a person a question; says the answer it was given.
 * - `progress 40`, `commit 1a2b3c`: tells how far it is, or of a commit.
 * - `usage 100 20: 0.01`: its end tells 100 tokens in, 20 out, and what they cost.
 * - `late 100 20`: 100 milliseconds after its end it tells the same, without a cost; `late` alone: that it will not be known.
 * - `fail: why`: ends the turn as failed.
 * - `dirty`: leaves work in its folder that is not committed.
 * - `crash`: the agent exits with status 1.
 * - `hang`: never ends by itself.
 *
 * Any other line is said as it is.
 */
export function parseScript(prompt: string): Step[] {
  return prompt.split('\n').flatMap(parseLine);
}

function parseLine(line: string): Step[] {
  const [, directive, argument = '', text = ''] = DIRECTIVE.exec(line.trim()) ?? [];
  const amount = Number(argument);
  switch (directive) {
    case 'print':
    case 'say':
      return [{ kind: directive, text }];
    case 'wait':
      return [{ kind: 'wait', ms: amount }];
    case 'work':
      return [
        { kind: 'wait', ms: amount },
        { kind: 'say', text },
      ];
    case 'lines':
      return [{ kind: 'print', text: Array.from({ length: amount }, (_, index) => `line ${index + 1}`).join('\n') }];
    case 'ask':
      return [{ kind: 'ask', for: 'permission', what: text }];
    case 'question':
      return [{ kind: 'ask', for: 'question', what: text }];
    case 'progress':
      return [{ kind: 'progress', percent: amount }];
    case 'usage':
      return [{ kind: 'usage', usage: usageOf(argument, text) }];
    case 'late':
      return [{ kind: 'late', usage: argument.trim() === '' ? null : usageOf(argument, text) }];
    case 'commit':
      return [{ kind: 'commit', hash: argument }];
    case 'fail':
      return [{ kind: 'fail', message: text }];
    case 'dirty':
    case 'crash':
    case 'hang':
      return [{ kind: directive }];
    default:
      return [{ kind: 'say', text: line }];
  }
}

function usageOf(tokens: string, cost: string): TurnUsage {
  const [inputTokens = 0, outputTokens = 0] = tokens.trim().split(/\s+/).map(Number);
  const price = cost === '' ? {} : { costUsd: Number(cost) };
  return { inputTokens, outputTokens, cacheReadTokens: 0, cacheCreationTokens: 0, ...price };
}
