import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock, type Clock } from '@semo-office/core';
import { describe, expect, it } from 'vitest';

import { brandedCommand, createBrand } from '../../src/process/process-brand.ts';
import { identify, isAlive, type ProcessIdentity, type ProcessTable } from '../../src/process/process-table.ts';
import { ProcessTree, type ProcessTreeOptions } from '../../src/process/process-tree.ts';
import { ProcessWatch } from '../../src/process/process-watch.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { RealProcesses } from './real-processes.ts';

const GRACE_MS = 300;

function sorted(processes: readonly { readonly pid: number }[]): number[] {
  return processes.map(({ pid }) => pid).sort((a, b) => a - b);
}

/** A dead process stays in the list until its parent, or the machine's first process, has reaped it. */
function lives(pid: number): boolean {
  const entry = table.find(pid);
  return entry !== null && isAlive(table, entry);
}

/** A tree that looks only when a test says so. */
function treeOf(
  real: RealProcesses,
  options: Partial<ProcessTreeOptions> = {},
): { tree: ProcessTree; watch: ProcessWatch } {
  const watch = new ProcessWatch({ table: options.table ?? table, clock: { now: Date.now, schedule: () => () => {} } });
  return { watch, tree: new ProcessTree({ sessionId: real.sessionId, watch, ...options }) };
}

describe('ProcessTree finds and ends', () => {
  it.each([
    ['a child', 'sleep 100 & echo $!; wait'],
    ['nohup', 'nohup sleep 100 >/dev/null 2>&1 & echo $!; wait'],
    ['a child whose parent is gone', '(sleep 100 & echo $!) ; wait; sleep 100'],
    ['setsid', "setsid sh -c 'echo $$; exec sleep 100' & wait"],
    ['a double fork in a session of its own', "(setsid sh -c '(echo $$; sleep 100) & sleep 100' &) ; sleep 100"],
    ['a deaf one', 'sh -c \'trap "" TERM HUP INT; echo $$; while :; do sleep 1; done\' & wait'],
    ['a stopped one', 'sleep 100 & kill -STOP $!; echo $!; wait'],
    ['a stopped and deaf one', 'sh -c \'trap "" TERM; echo $$; kill -STOP $$; sleep 100\' & wait'],
  ])('%s', async (_what, script) => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    const { pid, printed } = await real.shell(script);
    expect(tree.track(pid)).toEqual(identify(table, pid));
    expect(sorted(await tree.members())).toEqual(expect.arrayContaining([pid, ...printed]));
    const report = await tree.stop({ graceMs: GRACE_MS });
    expect(report.survivors).toEqual([]);
    expect(report.killed).toBeGreaterThan(1);
    expect(printed.filter(lives)).toEqual([]);
    expect(await tree.members()).toEqual([]);
  });

  it('one without environment that was seen while its parent lived', async () => {
    using real = new RealProcesses();
    const detached: ProcessIdentity[] = [];
    const { tree, watch } = treeOf(real, { onDetached: (processes) => detached.push(...processes) });
    const { pid, printed } = await real.shell("setsid env -i sh -c 'echo $$; exec sleep 100' & wait", { tag: false });
    tree.track(pid);
    await watch.look();
    expect(sorted(detached)).toContain(printed[0]);
    table.signal(pid, 'SIGKILL');
    const report = await tree.stop({ graceMs: GRACE_MS });
    expect(report).toMatchObject({ rung: 'terminated', survivors: [] });
    expect(printed.filter(lives)).toEqual([]);
  });

  it('one that goes into a session of its own after it was first seen', async () => {
    using real = new RealProcesses();
    const detached: number[] = [];
    const { tree, watch } = treeOf(real, { onDetached: (processes) => detached.push(...sorted(processes)) });
    const { pid, printed } = await real.shell(
      "mkfifo go; sh -c 'echo $$; read line <go; exec setsid env -i sleep 100' & wait",
      { tag: false, cwd: real.folder },
    );
    tree.track(pid);
    await watch.look();
    expect(detached).toEqual([]);
    await real.shell('echo >go; echo 0', { tag: false, cwd: real.folder });
    while (table.find(printed[0] ?? 0)?.sid === pid) await new Promise(setImmediate);
    await watch.look();
    expect(detached).toEqual(printed);
    await tree.stop({ graceMs: GRACE_MS });
    expect(printed.filter(lives)).toEqual([]);
  });

  it('one without environment, parent or group, by the brand', async () => {
    using real = new RealProcesses();
    const brand = await createBrand(table);
    const { tree } = treeOf(real, { brand: brand?.softLimit });
    const printed = await real.orphans("(setsid env -i sh -c 'echo $$; exec sleep 100' &)", {
      wrap: (command) => brandedCommand(brand, command),
      tag: false,
    });
    expect(sorted(await tree.members())).toEqual(printed);
    expect(await tree.stop({ graceMs: GRACE_MS })).toMatchObject({ rung: 'terminated', killed: 1, survivors: [] });
    expect(printed.filter(lives)).toEqual([]);
  });

  it('one without a parent in a folder of the session alone, and nobody who is beside it or looks in', async () => {
    using real = new RealProcesses();
    const own = join(real.folder, 'own');
    for (const folder of [own, join(own, 'deep'), `${own}-not`]) mkdirSync(folder);
    const inside = await real.orphans("(sh -c 'echo $$; exec sleep 100' &)", { cwd: join(own, 'deep'), tag: false });
    const visitor = await real.shell('echo $$; exec sleep 100', { cwd: own, tag: false });
    const beside = await real.shell('echo $$; exec sleep 100', { cwd: `${own}-not`, tag: false });
    const bystander = await real.shell('echo $$; exec sleep 100', { cwd: real.folder, tag: false });
    const { tree } = treeOf(real, { ownFolders: [own] });
    expect(sorted(await tree.members())).toEqual(inside);
    await tree.stop({ graceMs: GRACE_MS });
    for (const { pid } of [beside, bystander, visitor]) expect(table.find(pid)).not.toBeNull();
  });

  it('nobody of another session, be it in its folder', async () => {
    using real = new RealProcesses();
    using other = new RealProcesses();
    const stranger = await other.shell('echo $$; exec sleep 100', { cwd: real.folder });
    const { tree } = treeOf(real, { ownFolders: [real.folder] });
    expect(await tree.stop({ graceMs: GRACE_MS })).toEqual({ rung: 'already_gone', killed: 0, survivors: [] });
    expect(table.find(stranger.pid)).not.toBeNull();
  });

  it('a chain of forks that runs from its signals', async () => {
    using real = new RealProcesses();
    const brand = await createBrand(table);
    const { tree } = treeOf(real, { brand: brand?.softLimit });
    const runner = `trap '' TERM; f() { n=$1; while :; do (setsid env -i sleep 0.3 &); sleep 0.03; done; }; f 1 & f 2 & echo $$; wait`;
    const { pid } = await real.shell(runner, { wrap: (command) => brandedCommand(brand, command) });
    tree.track(pid);
    const report = await tree.stop({ graceMs: 100 });
    expect(report).toMatchObject({ rung: 'killed', survivors: [] });
    expect(await tree.members()).toEqual([]);
  });
});

describe('the ladder', () => {
  it('stops at asking when the agent leaves by itself', async () => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    const { pid } = await real.shell('trap "exit 0" USR1; echo $$; while :; do sleep 0.05; done');
    tree.track(pid);
    const report = await tree.stop({ graceMs: 5000, askNicely: () => void table.signal(pid, 'SIGUSR1') });
    expect(report).toEqual({ rung: 'asked', killed: 0, survivors: [] });
    expect(await tree.stop({ graceMs: 1 })).toEqual({ rung: 'already_gone', killed: 0, survivors: [] });
  });

  it('leaves no timer behind, which would keep the host alive as long as the agent might have taken', async () => {
    using real = new RealProcesses();
    const open = new Set<object>();
    const clock: Clock = {
      now: () => systemClock.now(),
      schedule(delayMs, run) {
        const timer = {};
        open.add(timer);
        const cancel = systemClock.schedule(delayMs, () => {
          open.delete(timer);
          run();
        });
        return () => {
          open.delete(timer);
          cancel();
        };
      },
    };
    const { tree } = treeOf(real, { clock });
    const { pid } = await real.shell('trap "exit 0" USR1; echo $$; while :; do sleep 0.05; done');
    tree.track(pid);
    await tree.stop({ graceMs: 60_000, askNicely: () => void table.signal(pid, 'SIGUSR1') });
    expect(open.size).toBe(0);
  });

  it('goes on at once when the agent left and something of it stayed', async () => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    const { pid, printed } = await real.shell('sleep 100 & echo $!; trap "exit 0" USR1; while :; do sleep 0.05; done');
    tree.track(pid);
    const began = performance.now();
    expect(await tree.stop({ graceMs: 20_000, askNicely: () => void table.signal(pid, 'SIGUSR1') })).toMatchObject({
      rung: 'terminated',
      survivors: [],
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(printed.filter(lives)).toEqual([]);
  });

  it('survives a request that fails or never returns', async () => {
    for (const askNicely of [() => Promise.reject(new Error('No.')), () => new Promise<void>(() => {})]) {
      using real = new RealProcesses();
      const { tree } = treeOf(real);
      tree.track((await real.shell('echo $$; exec sleep 100')).pid);
      expect(await tree.stop({ graceMs: 1500, askNicely })).toEqual({ rung: 'terminated', killed: 1, survivors: [] });
    }
  });

  it('kills at once when its patience is taken away', async () => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    tree.track((await real.shell("trap '' TERM; echo $$; while :; do sleep 1; done")).pid);
    const patience = new AbortController();
    const stopping = tree.stop({ graceMs: 60_000, signal: patience.signal, askNicely: () => patience.abort() });
    expect(await stopping).toMatchObject({ rung: 'killed', survivors: [] });
  });

  it('never hits a process that was given a number of ours', async () => {
    using real = new RealProcesses();
    const bystander = await real.shell('echo $$; exec sleep 100', { tag: false });
    const sent: number[] = [];
    // As it was when we saw it: same number, begun earlier.
    let reused = false;
    const past: ProcessTable = {
      ...table,
      find: (pid) => {
        const entry = table.find(pid);
        return entry !== null && pid === bystander.pid && !reused
          ? { ...entry, startTime: entry.startTime - 1 }
          : entry;
      },
      signal: (target) => sent.push(target) > 0,
    };
    const { tree } = treeOf(real, { table: past });
    tree.track(bystander.pid);
    reused = true;
    expect(await tree.stop({ graceMs: 50 })).toEqual({ rung: 'already_gone', killed: 0, survivors: [] });
    expect(sent).toEqual([]);
  });

  it('never signals a number that is given away between the look and the signal', async () => {
    using real = new RealProcesses();
    const { pid } = await real.shell('echo $$; exec sleep 100');
    const sent: number[] = [];
    let looks = 0;
    const racing: ProcessTable = {
      ...table,
      find: (asked) => {
        const entry = table.find(asked);
        looks += asked === pid ? 1 : 0;
        return entry !== null && asked === pid && looks > 6 ? { ...entry, startTime: entry.startTime + 1 } : entry;
      },
      signal: (target) => sent.push(target) > 0,
    };
    for (; looks < 30; looks += 1) {
      const { tree } = treeOf(real, { table: racing });
      tree.track(pid);
      await tree.stop({ graceMs: 1 });
    }
    expect(isAlive(table, identify(table, pid) ?? { pid: 0, startTime: 0 })).toBe(true);
  });

  it('reports what it may not signal', async () => {
    using real = new RealProcesses();
    const { pid } = await real.shell('echo $$; exec sleep 100');
    let now = 0;
    const powerless: ProcessTable = { ...table, signal: () => false };
    const clock = {
      now: () => (now += 1000),
      schedule: (_delayMs: number, run: () => void) => {
        setImmediate(run);
        return () => {};
      },
    };
    const { tree } = treeOf(real, { table: powerless, clock });
    expect(tree.track(pid)).not.toBeNull();
    expect(await tree.stop({ graceMs: 1 })).toEqual({ rung: 'killed', killed: 0, survivors: [identify(table, pid)] });
  });

  it('has nothing to track in a process that is gone', async () => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    expect(tree.track(2 ** 22 + 1)).toBeNull();
    const { pid } = await real.shell('echo $$; exec sleep 100', { tag: false });
    const entry = identify(table, pid);
    tree.adopt([
      { pid, startTime: (entry?.startTime ?? 0) - 1 },
      { pid: 2 ** 22 + 1, startTime: 1 },
    ]);
    expect(await tree.members()).toEqual([]);
    tree.adopt([{ pid, startTime: entry?.startTime ?? 0 }]);
    expect(sorted(await tree.members())).toEqual([pid]);
    tree.unwatch();
  });

  it('never takes in our own group, though a child shares it', async () => {
    using real = new RealProcesses();
    const { tree } = treeOf(real);
    const self = table.find(process.pid);
    tree.track(process.pid);
    const members = await tree.members();
    expect(sorted(members)).not.toContain(process.pid);
    expect(sorted(members)).not.toContain(self?.ppid);
    tree.unwatch();
  });
});
