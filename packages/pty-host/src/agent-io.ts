import type { AgentIo } from './agent/agent-driver.ts';
import { withoutKnownSecrets } from './agent/known-secrets.ts';
import type { LiveOutput } from './live-output.ts';
import type { LiveSessionOptions } from './live-session-options.ts';
import { sendSignal } from './process/process-table.ts';
import type { SessionAsker } from './requests/session-asker.ts';
import type { Terminal } from './terminal/terminal.ts';
import type { TurnLane } from './turn-lane.ts';

/** What an agent's way to its session leads to. */
export interface AgentIoParts extends Pick<LiveSessionOptions, 'clock' | 'onReport' | 'start' | 'launch'> {
  readonly sessionId: string;
  readonly terminal: Terminal;
  readonly output: LiveOutput;
  /** Asked for when they are needed: the agent is attached before there are turns. */
  readonly lane: () => TurnLane;
  readonly asker: () => SessionAsker;
}

/**
 * What a running agent offers its driver: its terminal on one side, the turns of its session on the other. None of its secrets
 * gets there.
 */
export function agentIo(parts: AgentIoParts): AgentIo {
  const { secrets } = parts.launch;
  return secrets === undefined ? plainIo(parts) : withoutKnownSecrets(plainIo(parts), secrets);
}

function plainIo(parts: AgentIoParts): AgentIo {
  const { sessionId, terminal, output, clock, lane, asker, onReport } = parts;
  const { pidInside } = parts.start;
  return {
    pid: pidInside === 'same' ? terminal.pid : pidInside,
    clock,
    write: (bytes) => terminal.write(bytes),
    endInput: () => terminal.endInput(),
    dropInput: () => terminal.dropInput(),
    reading: output.source,
    signal: (signal) => sendSignal(-terminal.pid, signal),
    device: terminal.device,
    report(evidence) {
      onReport?.(sessionId, { kind: 'evidence', evidence });
      lane().observe(evidence);
    },
    tell(words) {
      onReport?.(sessionId, { kind: 'words', words });
      lane().hear(words);
    },
    ask: (question, withdrawn) => asker().ask(question, withdrawn),
    screen: () => output.screenRows(),
    lastWords: () => output.lastWords(),
    textSince: (offset) => output.textSince(offset),
  };
}
