import { containmentReportSchema } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { containmentReport } from '../../src/process/containment.ts';
import { sessionTag } from '../../src/process/session-evidence.ts';

describe('containmentReport', () => {
  it('names every way a process is recognised by', () => {
    const report = containmentReport({ branded: true, ownFolders: true, procFileSystem: true });
    expect(containmentReportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({
      level: 'process_group',
      recognisedBy: ['parentage', 'group', 'folder', 'environment', 'brand'],
    });
    expect(report.mayEscape.join('\n')).toContain('systemd-run');
    expect(report.mayEscape.join('\n')).toContain('sets its own message queue limit');
  });

  it('says what is missing', () => {
    expect(
      containmentReport({ branded: false, ownFolders: false, procFileSystem: true }).mayEscape.join('\n'),
    ).toContain('no brand could be set');
    const elsewhere = containmentReport({ branded: false, ownFolders: true, procFileSystem: false });
    expect(elsewhere.recognisedBy).toEqual(['parentage', 'group']);
    expect(elsewhere.mayEscape.join('\n')).toContain('does not show');
  });
});

describe('sessionTag', () => {
  it.each([
    ['A=1\0SEMO_SESSION_ID=ses_1\0B=2\0', 'ses_1'],
    ['SEMO_SESSION_ID=ses_2\0', 'ses_2'],
    ['SEMO_SESSION_ID=ses_3', 'ses_3'],
    ['XSEMO_SESSION_ID=ses_4\0', null],
    ['A=SEMO_SESSION_ID=ses_5\0', null],
    ['', null],
  ])('in %j', (environment, tag) => {
    expect(sessionTag(new TextEncoder().encode(environment))).toBe(tag);
  });

  it('says what a scope does not stop', () => {
    const words = (scope: 'none' | 'guarded' | 'told') =>
      containmentReport({ branded: true, ownFolders: true, scope }).mayEscape.join('\n');
    expect(words('none')).not.toContain('scope');
    expect(words('guarded')).toContain('Bash');
    expect(words('told')).toContain('nothing keeps it there');
  });
});
