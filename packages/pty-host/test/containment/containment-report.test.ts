import { CONTAINMENT_LEVELS, containmentReportSchema } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { containmentReport, type ContainmentFacts } from '../../src/containment/containment-report.ts';

const FACTS: ContainmentFacts = { level: 'process_group', branded: true, ownFolders: true, procFileSystem: true };

function escapes(facts: Partial<ContainmentFacts>): string {
  return containmentReport({ ...FACTS, ...facts }).mayEscape.join('\n');
}

describe('containmentReport', () => {
  it('names every way a process is recognised by', () => {
    const report = containmentReport(FACTS);
    expect(report).toMatchObject({
      level: 'process_group',
      guarantees: { process: { kind: 'recognised' }, files: { kind: 'user' }, credential: { kind: 'user' } },
      recognisedBy: ['parentage', 'group', 'folder', 'environment', 'brand'],
    });
    expect(escapes({})).toContain('systemd-run');
    expect(escapes({})).toContain('sets its own message queue limit');
  });

  it('says what is missing', () => {
    expect(escapes({ branded: false, ownFolders: false })).toContain('no brand could be set');
    const elsewhere = containmentReport({ ...FACTS, branded: false, procFileSystem: false });
    expect(elsewhere.recognisedBy).toEqual(['parentage', 'group']);
    expect(elsewhere.mayEscape.join('\n')).toContain('does not show');
  });

  it.each(CONTAINMENT_LEVELS)('is one the schema knows at level %s', (level) => {
    const report = containmentReport({ ...FACTS, level });
    expect(containmentReportSchema.parse(report)).toEqual(report);
    expect(report.level).toBe(level);
  });

  it('lets fall away what the kernel holds back, and nothing else', () => {
    const inNamespace = escapes({ level: 'pid_namespace', userNamespace: true });
    expect(inNamespace).toContain('systemd-run');
    expect(inNamespace).not.toContain('another user');
    expect(inNamespace).not.toContain('two looks');
    expect(inNamespace).not.toContain('root');
    expect(escapes({ level: 'pid_namespace', userNamespace: false })).toContain('root');
    expect(escapes({ level: 'sandbox' })).toContain('over the network');
    expect(escapes({ level: 'sandbox', network: 'none' })).not.toContain('over the network');
    expect(containmentReport({ ...FACTS, level: 'sandbox', network: 'none' }).guarantees.network.kind).toBe('none');
  });

  it('says what a scope does not stop', () => {
    expect(escapes({})).not.toContain('scope');
    expect(escapes({ scope: 'guarded' })).toContain('Bash');
    expect(escapes({ scope: 'told' })).toContain('nothing keeps it there');
  });
});
