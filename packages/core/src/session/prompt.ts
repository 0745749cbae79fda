import { SemoError } from '../errors.ts';
import { MAX_PROMPT_BYTES } from './turn.ts';

/** The end of a bracketed paste: inside a prompt it would let the rest be typed as keys. */
const PASTE_END = '\x1b[201~';

/**
 * Refuses prompts that cannot be delivered as they are.
 *
 * @throws SemoError `invalid_prompt`: empty, or with NUL, ESC[201~ or a lone surrogate; `prompt_too_long`: over 1 MiB.
 */
export function checkPrompt(prompt: string): void {
  if (prompt.trim() === '') throw new SemoError('invalid_prompt', 'The prompt is empty. Say what is to be done.');
  const bytes = new TextEncoder().encode(prompt).byteLength;
  if (bytes > MAX_PROMPT_BYTES) {
    throw new SemoError(
      'prompt_too_long',
      `The prompt has ${bytes} bytes; at most ${MAX_PROMPT_BYTES} (1 MiB) are allowed. Put the rest into a file and name it.`,
      {
        details: { bytes, maxBytes: MAX_PROMPT_BYTES },
      },
    );
  }
  if (prompt.includes('\0')) throw new SemoError('invalid_prompt', 'The prompt holds a NUL character. Take it out.');
  if (prompt.includes(PASTE_END)) {
    throw new SemoError('invalid_prompt', 'The prompt holds ESC[201~, which ends a paste in a terminal. Take it out.');
  }
  if (!prompt.isWellFormed())
    throw new SemoError('invalid_prompt', 'The prompt is not well-formed Unicode: it holds half of a surrogate pair.');
}
