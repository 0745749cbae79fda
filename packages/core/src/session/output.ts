import { z } from 'zod';

/** What part of a session's output to read, and in which shape. */
export const outputRangeSchema = z.strictObject({
  /**
   * - `raw`: the bytes as they came.
   * - `text`: decoded, escape sequences taken out, cursor moves to the right turned into spaces.
   * - `screen`: the terminal's screen as a person would see it now (`from` and `maxBytes` do not apply).
   *
   * Default `text`.
   */
  as: z.enum(['raw', 'text', 'screen']).default('text'),
  /** Byte offset to begin at; default: the oldest byte still kept. */
  from: z.number().int().nonnegative().optional(),
  /** At most this many bytes; default 65 536. A character is never cut in two. */
  maxBytes: z
    .number()
    .int()
    .min(4)
    .max(8 * 1024 * 1024)
    .default(65_536),
});

/** See {@link outputRangeSchema}. */
export type OutputRange = z.input<typeof outputRangeSchema>;

interface OutputBounds {
  /** Offset of the first byte in this slice. */
  readonly from: number;
  /** Offset to ask for next. */
  readonly next: number;
  /** Offset of the oldest byte still kept. */
  readonly start: number;
  /** Offset just past the newest byte. */
  readonly end: number;
}

/** A piece of a session's output, in the shape asked for. */
export type OutputSlice =
  | (OutputBounds & { readonly as: 'raw'; readonly bytes: Uint8Array })
  | (OutputBounds & { readonly as: 'text'; readonly text: string })
  | (OutputBounds & {
      readonly as: 'screen';
      readonly lines: readonly string[];
      readonly cursor: { readonly column: number; readonly row: number };
    });

/** A terminal's size in character cells. */
export const terminalSizeSchema = z.object({
  cols: z.number().int().min(2).max(1000),
  rows: z.number().int().min(2).max(1000),
});

/** See {@link terminalSizeSchema}. */
export type TerminalSize = z.infer<typeof terminalSizeSchema>;
