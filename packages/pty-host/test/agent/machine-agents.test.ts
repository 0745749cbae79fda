import { claudeBinary } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { findMachineAgents } from '../../src/index.ts';

describe('the agents of a machine', () => {
  it('are told with the version of Claude Code', async () => {
    const { versions, claudeMissing } = await findMachineAgents({ claude: { binary: claudeBinary() } });
    expect(versions).toEqual({
      claude: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      'claude-stream': versions['claude'],
      command: 'any',
      shell: 'any',
    });
    expect(claudeMissing).toBeNull();
  });

  it('are fewer where Claude Code is not there, and it is said why', async () => {
    const { versions, claudeMissing } = await findMachineAgents({
      hostEnv: { PATH: '', SEMO_CLAUDE_BIN: '/nowhere/claude' },
    });
    expect(versions).toEqual({ command: 'any', shell: 'any' });
    expect(claudeMissing).toMatchObject({ code: 'agent_not_found' });
  });
});
