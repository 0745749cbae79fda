import { createHash } from 'node:crypto';

/** Claude Code's input box wraps long pastes in a tag. */
const WRAPPING = /<\/?pasted_content id="[^"]*">/g;

/**
 * A prompt without what is lost or added on its way into an agent: white space, characters that cannot be seen, and the tag
 * that Claude Code wraps long pastes in. Two prompts with the same bare text cannot be told apart in what an agent reports.
 */
export function barePrompt(text: string): string {
  return text
    .replaceAll(WRAPPING, '')
    .normalize('NFC')
    .replaceAll(/[\s\p{Cf}]+/gu, '');
}

/** SHA-256 of {@link barePrompt}, in hexadecimal: tells a prompt again without keeping it. */
export function promptDigest(text: string): string {
  return createHash('sha256').update(barePrompt(text)).digest('hex');
}
