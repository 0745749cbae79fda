import { access, chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createGitRepository, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { createClaudeMdInjector } from '../../src/persona/claude-md-injector.ts';
import { identify, isAlive, type ProcessTable } from '../../src/process/process-table.ts';
import { openJournal } from '../../src/process/session-journal.ts';
import { defaultStateDir, ownerState, readRecord } from '../../src/process/session-record.ts';
import { sweepSessions, type SweepOptions } from '../../src/process/session-sweep.ts';
import { systemProcessTable as table } from '../../src/process/system-process-table.ts';
import { addWorktree } from '../../src/workspace/git-worktrees.ts';
import { removeWorktree } from '../../src/workspace/worktree-removal.ts';
import { RealProcesses } from './real-processes.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A table of a host that is not this process, and that nobody finds alive: as if it had been killed. */
const deadHost: ProcessTable = {
  ...table,
  find: (pid) => (pid === process.pid ? { ...must(table.find(pid)), startTime: 1 } : table.find(pid)),
};

function lives(pid: number): boolean {
  const entry = table.find(pid);
  return entry !== null && isAlive(table, entry);
}

function must<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('Nothing there.');
  return value;
}

function sweep(stateDir: string, options: Partial<SweepOptions> = {}) {
  const personas = createClaudeMdInjector({ stateDir });
  return sweepSessions({
    stateDir,
    graceMs: 200,
    removePersona: (target) => personas.remove(target),
    removeWorktree: (worktree) => removeWorktree(worktree),
    ...options,
  });
}

describe('session journal', () => {
  it('gives a session folders of its own and takes all away again', async () => {
    await using folder = await temporaryFolder();
    const stateDir = join(folder.path, 'state', 'semo');
    const place = await openJournal({ stateDir }).claim('ses_1', { privateHome: true });
    expect(place).toMatchObject({
      folder: join(stateDir, 'sessions', 'ses_1'),
      homeFolder: join(place.folder, 'home'),
    });
    for (const path of [place.folder, place.configFolder, place.temporaryFolder, place.homeFolder ?? ''])
      expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(place.folder, 'record.json'))).mode & 0o777).toBe(0o600);
    const detached = [{ pid: 1, startTime: 2 }];
    await Promise.all([
      place.update({ brand: 400_001 }),
      place.update({ detached }),
      place.update({ ownFolders: ['/x'] }),
    ]);
    expect(await readRecord(place.folder)).toEqual(place.record);
    expect(place.record).toMatchObject({
      brand: 400_001,
      detached,
      ownFolders: ['/x'],
      owner: identify(table, process.pid),
      root: null,
    });
    await mkdir(join(place.temporaryFolder, 'cache'));
    await chmod(join(place.temporaryFolder, 'cache'), 0o500);
    const late = place.update({ brand: 1 });
    await place.release();
    await late;
    await place.update({ brand: 2 });
    await place.release();
    expect(await readdir(folder.path)).toEqual(['state']);
    expect(await readdir(join(folder.path, 'state'))).toEqual([]);
  });

  it('refuses an id that is taken, and one that is none', async () => {
    await using folder = await temporaryFolder();
    const journal = openJournal({ stateDir: folder.path });
    const place = await journal.claim('ses_1');
    expect(place.homeFolder).toBeNull();
    await expect(journal.claim('ses_1')).rejects.toMatchObject({ code: 'session_conflict' });
    await expect(journal.claim('../up')).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(await readdir(join(folder.path, 'sessions'))).toEqual(['ses_1']);
    await chmod(place.temporaryFolder, 0o700);
  });

  it('forgets detached processes that have ended when there are many', async () => {
    await using folder = await temporaryFolder();
    const place = await openJournal({ stateDir: folder.path }).claim('ses_1');
    const self = must(identify(table, process.pid));
    await place.update({ detached: [self, ...Array.from({ length: 60 }, () => ({ pid: 1, startTime: -1 }))] });
    expect(place.record.detached).toEqual([self]);
  });

  it('survives many that come and go at once', async () => {
    await using folder = await temporaryFolder();
    const journal = openJournal({ stateDir: join(folder.path, 'semo') });
    await Promise.all(
      Array.from({ length: 40 }, async (_value, index) => (await journal.claim(`ses_${index}`)).release()),
    );
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('knows where state belongs', () => {
    expect(defaultStateDir({ XDG_STATE_HOME: '/state' })).toBe('/state/semo');
    expect(defaultStateDir({ XDG_STATE_HOME: 'relative' })).toMatch(/\/\.local\/state\/semo$/);
  });
});

describe('sweep', () => {
  it('never touches what a living host runs', async () => {
    await using folder = await temporaryFolder();
    using real = new RealProcesses();
    const place = await openJournal({ stateDir: folder.path }).claim(real.sessionId);
    const { pid } = await real.shell('echo $$; exec sleep 100');
    await place.update({ root: identify(table, pid) });
    expect(await sweep(folder.path)).toEqual({ swept: [], takenUp: [], leftAlone: [] });
    expect(await exists(place.folder)).toBe(true);
    expect(lives(pid)).toBe(true);
  });

  it('clears up everything a dead host has left, once for two sweeps', async () => {
    await using folder = await temporaryFolder();
    await using repository = await createGitRepository();
    using real = new RealProcesses();
    const { sessionId } = real;
    const stateDir = join(folder.path, 'semo');
    const worktree = await addWorktree({
      repository: repository.path,
      root: join(folder.path, 'trees'),
      path: join(folder.path, 'trees', 'a'),
      branch: 'a',
      base: 'HEAD',
    });
    const persona = { name: 'Mina', role: 'FE', prompt: 'Small steps.' };
    await createClaudeMdInjector({ stateDir }).inject({ persona, folder: worktree.path, sessionId });
    const place = await openJournal({ stateDir, table: deadHost }).claim(sessionId);
    const agent = await real.shell('echo $$; exec sleep 100');
    const journaled = await real.shell('echo $$; exec sleep 100', { tag: false });
    const left = { tag: false, cwd: place.temporaryFolder };
    const [pid = 0] = await real.orphans("(sh -c 'echo $$; exec sleep 100' &)", left);
    const inside = { pid };
    const bystander = await real.shell('echo $$; exec sleep 100', { tag: false });
    await place.update({
      root: identify(table, agent.pid),
      detached: [must(identify(table, journaled.pid)), { pid: bystander.pid, startTime: 1 }],
      personaFolders: [worktree.path],
      worktree,
    });
    const reports = await Promise.all([sweep(stateDir), sweep(stateDir)]);
    expect(reports.flatMap(({ swept }) => swept)).toEqual([
      { sessionId, reason: null, killed: 3, survivors: [], keptWorktree: null, faults: [] },
    ]);
    for (const each of [agent, journaled, inside]) expect(lives(each.pid)).toBe(false);
    expect(lives(bystander.pid)).toBe(true);
    expect(await readdir(folder.path)).toEqual([]);
    expect(await repository.git(['status', '--porcelain', '--branch'])).toBe('## main');
    expect(await sweep(stateDir)).toEqual({ swept: [], takenUp: [], leftAlone: [] });
  });

  it('keeps a worktree with work in it, and says so', async () => {
    await using folder = await temporaryFolder();
    await using repository = await createGitRepository();
    const worktree = await addWorktree({
      repository: repository.path,
      root: join(folder.path, 'trees'),
      path: join(folder.path, 'trees', 'a'),
      branch: 'a',
      base: 'HEAD',
    });
    await writeFile(join(worktree.path, 'work.txt'), '');
    const place = await openJournal({ stateDir: join(folder.path, 'semo'), table: deadHost }).claim('ses_1');
    await place.update({ worktree });
    const { swept } = await sweep(join(folder.path, 'semo'));
    expect(swept).toMatchObject([
      { keptWorktree: { path: worktree.path, reason: expect.stringContaining('work.txt') as string }, faults: [] },
    ]);
    expect(await exists(place.folder)).toBe(false);
  });

  it('keeps the record of what failed for the next sweep', async () => {
    await using folder = await temporaryFolder();
    const place = await openJournal({ stateDir: folder.path, table: deadHost }).claim('ses_1');
    await place.update({ personaFolders: ['/x'] });
    const { swept } = await sweep(folder.path, { removePersona: () => Promise.reject(new Error('No.')) });
    expect(swept).toMatchObject([{ faults: ['Removing its persona failed: No.'] }]);
    expect(await sweep(folder.path)).toMatchObject({ swept: [{ faults: [] }] });
    expect(await exists(folder.path)).toBe(false);
    await mkdir(folder.path);
  });

  it('sets a record aside that it cannot read, unless it is in use', async () => {
    await using folder = await temporaryFolder();
    using real = new RealProcesses();
    const journal = openJournal({ stateDir: folder.path });
    const place = await journal.claim(real.sessionId);
    const other = await journal.claim('ses_other');
    await writeFile(join(place.folder, 'record.json'), '{"half');
    await writeFile(join(other.folder, 'record.json'), JSON.stringify(place.record));
    const { pid } = await real.shell('echo $$; exec sleep 100');
    const { leftAlone } = await sweep(folder.path);
    expect(leftAlone.find(({ sessionId }) => sessionId === real.sessionId)?.reason).toContain(`alive: ${pid}`);
    expect(leftAlone.find(({ sessionId }) => sessionId === 'ses_other')?.reason).toContain(
      join(folder.path, 'unreadable', 'ses_other-'),
    );
    expect(await readdir(join(folder.path, 'sessions'))).toEqual([real.sessionId]);
    expect(lives(pid)).toBe(true);
  });

  it('never takes a session that is just ending for a damaged one', async () => {
    await using folder = await temporaryFolder();
    const stateDir = folder.path;
    const journal = openJournal({ stateDir });
    const places = await Promise.all(Array.from({ length: 8 }, (_, number) => journal.claim(`ses_${number}`)));
    for (const { temporaryFolder: tmp } of places)
      for (let file = 0; file < 200; file += 1) await writeFile(join(tmp, `file-${file}`), '');
    const leaving = { done: false };
    const sweeping = (async () => {
      const reports = [];
      while (!leaving.done) reports.push(await sweep(stateDir));
      return reports.flatMap(({ leftAlone }) => leftAlone);
    })();
    await Promise.all(places.map((place) => place.release()));
    leaving.done = true;
    expect(await sweeping).toEqual([]);
    expect(await exists(join(stateDir, 'unreadable'))).toBe(false);
  });

  it('finishes a removal that was cut short', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'sessions', '.gone-ses_1-x', 'tmp'), { recursive: true });
    expect((await sweep(folder.path)).leftAlone).toEqual([]);
    expect(await exists(join(folder.path, 'sessions'))).toBe(false);
  });

  it('leaves other machines and containers alone, and kills nothing after a reboot', async () => {
    await using folder = await temporaryFolder();
    using real = new RealProcesses();
    const { pid } = await real.shell('echo $$; exec sleep 100', { tag: false });
    const claims = { far: { hostname: 'far' }, boxed: { pidNamespace: 'pid:[1]' }, before: { bootId: 'before' } };
    for (const [sessionId, machine] of Object.entries(claims)) {
      const elsewhere = { ...deadHost, machine: { ...table.machine, ...machine } };
      const place = await openJournal({ stateDir: folder.path, table: elsewhere }).claim(sessionId);
      await place.update({ root: identify(table, pid) });
    }
    const { swept, leftAlone } = await sweep(folder.path);
    expect(leftAlone.map(({ sessionId }) => sessionId).sort()).toEqual(['boxed', 'far']);
    expect(swept).toMatchObject([{ sessionId: 'before', killed: 0 }]);
    expect(lives(pid)).toBe(true);
    expect(ownerState(must(await readRecord(join(folder.path, 'sessions', 'far'))), table)).toBe('elsewhere');
  });

  it('removes claims and locks that were never finished, and only those of the dead', async () => {
    await using folder = await temporaryFolder();
    const sessions = join(folder.path, 'semo', 'sessions');
    const self = must(identify(table, process.pid));
    const living = join(sessions, `.claim-${self.pid}-${self.startTime}-x`);
    for (const path of [join(sessions, '.claim-1-1-x'), living]) await mkdir(path, { recursive: true });
    const holder = { ...self, hostname: table.machine.hostname, nonce: 'n' };
    await writeFile(join(sessions, '.sweep-living'), JSON.stringify(holder));
    await writeFile(join(sessions, '.sweep-dead'), JSON.stringify({ ...holder, startTime: 1 }));
    expect(await sweep(join(folder.path, 'semo'))).toEqual({ swept: [], takenUp: [], leftAlone: [] });
    expect((await readdir(sessions)).sort()).toEqual([living.slice(sessions.length + 1), '.sweep-living'].sort());
    expect(await sweep(join(folder.path, 'nowhere'))).toEqual({ swept: [], takenUp: [], leftAlone: [] });
  });
});
