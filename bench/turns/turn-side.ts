/** What every turn asks. */
export const PROMPT = 'Say that you are done.';

/** One way to speak with Claude Code. Times are milliseconds until the verdict, or the result. */
export interface TurnSide {
  /** A turn in a process of its own, from before the process is started. */
  coldTurn(): Promise<number>;
  /** Starts a process and has its first turn. */
  open(): Promise<WarmTurns>;
}

/** A process that has had its first turn. */
export interface WarmTurns extends AsyncDisposable {
  /** One more turn, from the moment its prompt is sent. */
  turn(): Promise<number>;
}
