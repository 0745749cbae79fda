import { canonicalJson, type HumanRequest } from '@semo-office/core';

/** Whether two requests of one conversation ask the very same thing. Anything else in the input is another question. */
export function isSameQuestion(one: HumanRequest, other: HumanRequest): boolean {
  return (
    one.conversationId !== undefined &&
    one.conversationId === other.conversationId &&
    one.kind === other.kind &&
    one.tool === other.tool &&
    canonicalJson(one.input) === canonicalJson(other.input)
  );
}
