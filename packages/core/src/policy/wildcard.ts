import { SemoError, assertNever } from '../errors.ts';

/**
 * What a star stands for: in `text` for anything, in a `path` for anything within a folder's name (`**` for any folders), in
 * a `command` for anything a shell does not act on, so that `git log *` is never `git log; rm -rf .`.
 */
export type WildcardKind = 'text' | 'path' | 'command';

/** A compiled pattern. */
export type Wildcard = (text: string) => boolean;

type Token =
  | { readonly kind: 'character'; readonly character: string }
  /** `since`: the first place from where all characters up to here could be of this run as well. */
  | { readonly kind: 'run'; readonly without: string; readonly since: number }
  /** Whole folders with their slashes, or none. */
  | { readonly kind: 'folders' }
  | { readonly kind: 'within_folders' };

const SHELL_ACTS_ON = ';&|<>$`(){}\\\n\r';
const MOST_CHARACTERS = 500;

/** Why a pattern cannot be used, or `null` if it can. */
export function wildcardFault(pattern: string, kind: WildcardKind): string | null {
  if (pattern === '') return 'is empty';
  if (pattern.length > MOST_CHARACTERS) return `is longer than ${MOST_CHARACTERS} characters`;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(pattern)) return 'has control characters';
  if (kind !== 'path') return badEscape(pattern);
  if (/[?[\]{}()!\\]/.test(pattern)) return 'has more than * and ** in it, which is all that a path pattern knows';
  return pattern.includes('***') ? 'has *** in it' : null;
}

function badEscape(pattern: string): string | null {
  return /^(?:[^\\]|\\[*\\])*$/.test(pattern) ? null : 'has a backslash that is not before * or another backslash';
}

/**
 * Compiles a pattern that the whole text must match. It runs in time linear in the text, whatever the pattern.
 *
 * @throws SemoError `invalid_argument`.
 * @example
 * ```ts
 * wildcard('npm run *', 'command')('npm run build'); // true
 * ```
 */
export function wildcard(pattern: string, kind: WildcardKind): Wildcard {
  const fault = wildcardFault(pattern, kind);
  if (fault !== null) throw new SemoError('invalid_argument', `The pattern ${JSON.stringify(pattern)} ${fault}.`);
  const tokens = kind === 'path' ? pathTokens(pattern) : wordTokens(pattern, kind === 'command' ? SHELL_ACTS_ON : '');
  const withReach = tokens.map((token, place) =>
    token.kind === 'run' ? { ...token, since: reachOf(tokens.slice(0, place), token.without) } : token,
  );
  return (text) => matches(withReach, text);
}

function wordTokens(pattern: string, without: string): Token[] {
  return Array.from(pattern.matchAll(/\\(?<escaped>[*\\])|(?<star>\*)|(?<other>[^])/gu), ({ groups = {} }) =>
    groups['star'] === undefined
      ? { kind: 'character', character: groups['escaped'] ?? groups['other'] ?? '' }
      : { kind: 'run', without, since: 0 },
  );
}

function pathTokens(pattern: string): Token[] {
  return Array.from(pattern.matchAll(/(?<=^|\/)\*\*\/|\*\*|\*|[^]/gu), ([piece]): Token[] => {
    if (piece === '**/') return [{ kind: 'folders' }, { kind: 'within_folders' }];
    if (piece === '**') return [{ kind: 'run', without: '', since: 0 }];
    return [piece === '*' ? { kind: 'run', without: '/', since: 0 } : { kind: 'character', character: piece }];
  }).flat();
}

function reachOf(before: readonly Token[], without: string): number {
  const isForeign = (token: Token): boolean => {
    if (without === '') return false;
    if (token.kind === 'character') return without.includes(token.character);
    return token.kind !== 'run' || token.without !== without;
  };
  return before.findLastIndex(isForeign) + 1;
}

/** Follows all ways through the pattern at once, so that nothing is ever tried again. */
function matches(tokens: readonly Token[], text: string): boolean {
  let places = reachable(tokens, [0]);
  for (const character of text) {
    if (places.size === 0) return false;
    places = reachable(
      tokens,
      [...places].flatMap((place) => after(tokens[place], place, character)),
    );
  }
  return places.has(tokens.length);
}

/** These places, and those that are reached from them without a character. */
function reachable(tokens: readonly Token[], from: readonly number[]): Set<number> {
  const places = new Set(from);
  for (const place of places) {
    const kind = tokens[place]?.kind;
    if (kind === 'run') places.add(place + 1);
    if (kind === 'folders') places.add(place + 1).add(place + 2);
  }
  return withoutNeedless(tokens, places);
}

/** Whoever stands in a run need not stand before it too: from there the rest can be reached by all that could be from before. */
function withoutNeedless(tokens: readonly Token[], places: Set<number>): Set<number> {
  const last = Math.max(...[...places].filter((place) => tokens[place]?.kind === 'run'));
  const run = tokens[last];
  if (run?.kind !== 'run') return places;
  for (const place of places) if (place >= run.since && place < last) places.delete(place);
  return places;
}

function after(token: Token | undefined, place: number, character: string): number[] {
  if (token === undefined) return [];
  switch (token.kind) {
    case 'character':
      return token.character === character ? [place + 1] : [];
    case 'run':
      return token.without.includes(character) ? [] : [place];
    case 'folders':
      return [];
    case 'within_folders':
      return character === '/' ? [place, place + 1] : [place];
    default:
      return assertNever(token);
  }
}
