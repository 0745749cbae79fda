/**
 * The beginning of a text: at most so many characters (UTF-16 code units). One fewer where a surrogate pair would be cut in
 * two: half of one is not text, and not everything takes it. Pure.
 *
 * @example
 * ```ts
 * textStart('ab🎉', 3); // 'ab'
 * ```
 */
export function textStart(text: string, most: number): string {
  // Above U+FFFF: a whole pair begins with the last character.
  return text.slice(0, (text.codePointAt(most - 1) ?? 0) > 0xffff ? most - 1 : most);
}
