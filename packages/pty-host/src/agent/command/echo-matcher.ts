import { keptBytes } from '../kept-bytes.ts';

/**
 * Follows a terminal's echo of what was typed, so that the echo is not taken for the agent's own words. The first byte
 * that differs ends the echo for good.
 */
export class EchoMatcher {
  /** The echo as plain text. */
  readonly text: string;
  readonly #expected: Buffer;
  #matched = 0;
  #open = true;

  constructor(typed: string) {
    this.text = typed;
    this.#expected = keptBytes(typed === '' ? '' : `${typed}\n`.replaceAll('\n', '\r\n'));
  }

  /** Whether all of these bytes are echo. */
  consume(bytes: Uint8Array): boolean {
    if (!this.#open) return false;
    for (const byte of bytes) {
      if (this.#expected[this.#matched] !== byte) {
        this.#open = false;
        return false;
      }
      this.#matched += 1;
    }
    return true;
  }
}
