import { benchSessions } from './bench-sessions.ts';
import { settledMemory, type ProcessMemory } from './process-memory.ts';
import { openRawTerminal } from './raw-terminal.ts';

/** What is idle. */
export type IdleKind = 'raw' | 'session' | 'screen';

/** How many of what. */
export interface IdleTerminals {
  readonly kind: IdleKind;
  readonly count: number;
}

/** The program that sits there: it has greeted, as an agent would, and waits. */
const IDLE = ['/bin/sh', '-c', 'echo ready; exec cat'] as const;
/** Code, caches and pools that the first ones of a kind bring along are not theirs. */
const WARM_UP = 5;

/** Opens idle terminals and gives the memory that each takes of this process. */
export async function task({ kind, count }: IdleTerminals): Promise<ProcessMemory> {
  await using stage = kind === 'raw' ? rawStage() : await sessionStage(kind === 'screen');
  await stage.open(WARM_UP);
  const before = await settledMemory();
  await stage.open(count);
  const after = await settledMemory();
  return { ours: (after.ours - before.ours) / count, resident: (after.resident - before.resident) / count };
}

interface IdleStage extends AsyncDisposable {
  /** Opens so many more and resolves when all have greeted. */
  open(count: number): Promise<void>;
}

function rawStage(): IdleStage {
  const terminals = new AsyncDisposableStack();
  return {
    async open(count) {
      for (let index = 0; index < count; index += 1) {
        const greeted = Promise.withResolvers<void>();
        terminals.use(openRawTerminal({ command: IDLE, onData: () => greeted.resolve() }));
        await greeted.promise;
      }
    },
    [Symbol.asyncDispose]: () => terminals.disposeAsync(),
  };
}

async function sessionStage(screen: boolean): Promise<IdleStage> {
  const host = await benchSessions();
  return {
    async open(count) {
      for (let index = 0; index < count; index += 1) {
        const greeted = Promise.withResolvers<void>();
        const off = host.sessions.on('output', () => greeted.resolve());
        await host.open(IDLE, { screen });
        await greeted.promise;
        off();
      }
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
