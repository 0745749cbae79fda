import { DELIVERY_TABLE, settleDelivery, type DeliveryVerdict } from '../../src/index.ts';
import { CRASH_POINTS } from './crash-points.ts';

const NEXT: Readonly<Record<DeliveryVerdict['next'], string>> = {
  as_usual: 'as usual',
  send_again: 'send it again',
  resume: 'resume',
  ask: 'ask a person',
};

/** The verdict for each pair of what was written and what is found, as the page shows it. */
export function verdictRows(): string[] {
  const rows: string[] = [];
  for (const [recorded, found] of Object.entries(DELIVERY_TABLE)) {
    for (const [transcript, verdict] of Object.entries(found)) {
      // Nobody looks into it.
      if (recorded === 'intent' && transcript !== 'unreadable') continue;
      const shown = recorded === 'intent' ? 'not looked into' : transcript;
      rows.push(row(`\`${recorded}\``, shown, outcomeOf(verdict), NEXT[verdict.next]));
    }
  }
  return rows;
}

/** What comes of each crash, as the page shows it. */
export function crashRows(): string[] {
  return CRASH_POINTS.flatMap((point) => {
    if ('found' in point) return [row(point.killed, point.when, '–', point.found, point.next)];
    return point.transcripts.map((transcript) => {
      const facts = { recorded: point.recorded, transcript, afterReboot: point.killed === 'machine' };
      const verdict = settleDelivery(facts);
      const shown = point.recorded === 'intent' ? `${transcript}, not looked into` : transcript;
      return row(point.killed, point.when, shown, outcomeOf(verdict), NEXT[verdict.next]);
    });
  });
}

function outcomeOf({ outcome, code }: DeliveryVerdict): string {
  if (code === null) return outcome;
  return code === 'told' ? `${outcome} / the agent's own error` : `${outcome} / \`${code}\``;
}

function row(...cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}
