/** One server-sent event as a client reads it. */
export interface ReadEvent {
  readonly name: string;
  readonly data: Record<string, unknown> & { type: string };
}

/** Reads a whole event stream the strict way: `event:` line, `data:` line, empty line. */
export function parseEvents(text: string): ReadEvent[] {
  return text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^event: (?<name>\w+)\ndata: (?<data>.*)$/.exec(part);
      if (!match?.groups) throw new Error(`Not an event: ${part}`);
      return { name: match.groups.name ?? '', data: JSON.parse(match.groups.data ?? '') as ReadEvent['data'] };
    });
}

/** The text deltas of a stream. */
export function textDeltasOf(events: readonly ReadEvent[]): string[] {
  return events
    .map(({ data }) => data.delta as { type?: string; text?: string } | undefined)
    .filter((delta) => delta?.type === 'text_delta')
    .map((delta) => delta?.text ?? '');
}
