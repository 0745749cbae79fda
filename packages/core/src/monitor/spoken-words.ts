/**
 * Words that came up in a turn, and whose they are. A prompt is nobody's words here, and neither is a file that is being
 * written: a driver does not hand them on.
 */
export type Words =
  /** What the agent says to its user, as Markdown. */
  | { readonly by: 'agent'; readonly text: string }
  /** What a tool printed. `command` is what was run; `stream` tells errors from output. */
  | {
      readonly by: 'tool';
      readonly text: string;
      readonly command?: string | undefined;
      readonly stream?: 'output' | 'error' | undefined;
    }
  /** One line that a program printed; `offset` is the place of its first byte. */
  | { readonly by: 'program'; readonly text: string; readonly offset?: number | undefined };

const SHOWING = new Set(
  'cat head tail less more bat grep rg egrep sed awk echo printf ls find wc diff sort uniq cut cd pwd true jq nl tee'.split(
    ' ',
  ),
);
const SHOWING_GIT = /^git (?:-\S+ )*(?:log|show|diff|grep|blame|reflog|cat-file)\b/;

/** Whether a command only shows what is written somewhere: what it prints did not happen now. */
export function onlyShows(command: string): boolean {
  const parts = command
    .split(/[;&|\n]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return (
    parts.length > 0 && parts.every((part) => SHOWING_GIT.test(part) || SHOWING.has(/^[^\s<>]+/.exec(part)?.[0] ?? ''))
  );
}

const FENCE = /^\s*(?:```|~~~)/;
const QUOTE = /^\s*>/;

/** The lines of a Markdown text that are the speaker's own: none that is quoted or shown as code. */
export function ownLines(markdown: string): string[] {
  let fenced = false;
  return markdown.split('\n').filter((line) => {
    if (!FENCE.test(line)) return !fenced && !QUOTE.test(line);
    fenced = !fenced;
    return false;
  });
}
