import { describe, expect, it } from 'vitest';

import { ClaudeTasks } from '../../../../src/agent/claude/terminal/tasks.ts';

const notification = (id: string) => `<task-notification>\n<task-id>${id}</task-id>\n<status>completed</status>`;

describe('the background tasks of a turn', () => {
  it('are untold until the agent hears of each', () => {
    const tasks = new ClaudeTasks();
    tasks.onTool({ stdout: '', stderr: '', backgroundTaskId: 'b1' });
    tasks.onTool({ isAsync: true, status: 'async_launched', agentId: 'a1' });
    expect(tasks.untold).toBe(2);
    tasks.onNotification(notification('b1'));
    tasks.onNotification(notification('another'));
    expect(tasks.untold).toBe(1);
    tasks.onNotification(notification('a1'));
    expect(tasks.untold).toBe(0);
  });

  it('are none where a tool answered at once', () => {
    const tasks = new ClaudeTasks();
    for (const response of [{ stdout: 'x' }, 'text', null, { agentId: 'a1', isAsync: false }, { backgroundTaskId: 1 }])
      tasks.onTool(response);
    expect(tasks.untold).toBe(0);
  });

  it('are none of a later turn’s', () => {
    const tasks = new ClaudeTasks();
    tasks.onTool({ backgroundTaskId: 'b1' });
    expect(tasks.onRunning(['b1', 'b2'])).toBe(2);
    tasks.turnBegan();
    expect(tasks.untold).toBe(0);
    expect(tasks.onRunning(['b1', 'b2'])).toBe(0);
    expect(tasks.onRunning(['b1', 'b3', undefined])).toBe(2);
  });
});
