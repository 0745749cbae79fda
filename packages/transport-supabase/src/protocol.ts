/** Raised whenever what hosts and offices write for each other changes its meaning. */
export const PROTOCOL_VERSION = 1;

/** Who has to be upgraded where a host and an office speak different protocols, in a sentence. Pure. */
export function protocolMismatch(hostId: string, protocol: number): string {
  const who = protocol < PROTOCOL_VERSION ? 'host' : 'office';
  return `Host ${hostId} speaks protocol ${protocol}, and this office ${PROTOCOL_VERSION}. Upgrade the ${who}.`;
}
