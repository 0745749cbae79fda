import { withoutSecrets, type Evidence } from '@semo-office/core';

import type { AgentIo } from './agent-driver.ts';

/**
 * An agent's way out to events, turns, requests and error messages, past which none of the secrets gets. Its output itself
 * is kept as it was printed.
 */
export function withoutKnownSecrets(io: AgentIo, secrets: () => readonly string[]): AgentIo {
  const clean = (text: string) => withoutSecrets(text, secrets());
  return {
    ...io,
    report: (evidence) => io.report(cleanEvidence(evidence, clean)),
    tell: (words) => io.tell({ ...words, text: clean(words.text) }),
    ask: ({ input, ...request }, withdrawn) => io.ask({ ...request, input: cleanValue(input, clean) }, withdrawn),
    lastWords: () => clean(io.lastWords()),
    textSince: (offset) => clean(io.textSince(offset)),
  };
}

function cleanEvidence(evidence: Evidence, clean: (text: string) => string): Evidence {
  const cleaned = 'text' in evidence ? { ...evidence, text: clean(evidence.text) } : evidence;
  if (!('error' in cleaned) || cleaned.error === undefined) return cleaned;
  return { ...cleaned, error: { ...cleaned.error, message: clean(cleaned.error.message) } };
}

/** As JSON: it is about to be written down so anyway. */
function cleanValue<Value>(value: Value, clean: (text: string) => string): Value {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return value;
  const cleaned = clean(text);
  return cleaned === text ? value : (JSON.parse(cleaned) as Value);
}
