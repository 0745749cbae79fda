import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { newId, type SessionFault, type TurnRecord } from '@semo-office/core';
import { describeSessionStoreContract } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { fileSessionStore } from '../../src/index.ts';

describeSessionStoreContract('in files', async () => {
  const root = await temporaryFolder('semo-history-');
  const folder = join(root.path, 'state', 'history');
  return {
    store: fileSessionStore({ folder }),
    reopen: () => fileSessionStore({ folder }),
    close: async () => root[Symbol.asyncDispose](),
  };
});

const turn = (more: Partial<TurnRecord> = {}): TurnRecord => ({
  sessionId: newId('ses'),
  turnId: newId('turn'),
  conversationId: null,
  prompt: { digest: 'ab'.repeat(32), bytes: 2 },
  outputStart: 0,
  delivery: { kind: 'intent', intentAt: 1000 },
  ...more,
});

describe('turns in files', () => {
  it('are for their user alone, one file each, with nothing beside them', async () => {
    await using root = await temporaryFolder('semo-history-');
    const folder = join(root.path, 'history');
    const store = fileSessionStore({ folder });
    const record = turn();
    const { sessionId, turnId } = record;
    expect(await store.listTurns()).toEqual([]);
    expect(await store.advanceTurn(sessionId, turnId, { kind: 'submitted', at: 1 })).toBe(false);
    expect(await readdir(root.path)).toEqual([]);
    await store.putTurn(record);
    await store.putTurn(record);
    await store.advanceTurn(sessionId, turnId, { kind: 'submitted', at: 2000 });
    const name = `turn-${turnId}.json`;
    expect(await readdir(join(folder, sessionId))).toEqual([name]);
    expect((await stat(join(folder, sessionId, name))).mode & 0o777).toBe(0o600);
    for (const each of [folder, join(folder, sessionId)]) expect((await stat(each)).mode & 0o777).toBe(0o700);
    const delivery = { kind: 'submitted', intentAt: 1000, submittedAt: 2000 };
    expect(JSON.parse(await readFile(join(folder, sessionId, name), 'utf8'))).toEqual({ ...record, delivery });
  });

  it('that are damaged are reported and hide no other', async () => {
    await using root = await temporaryFolder('semo-history-');
    const faults: SessionFault[] = [];
    const store = fileSessionStore({ folder: root.path, onFault: (fault) => faults.push(fault) });
    const good = turn();
    const { sessionId } = good;
    await store.putTurn(good);
    const folder = join(root.path, sessionId);
    await writeFile(join(folder, 'turn-half.json'), '{"sessionId":"ses_');
    await writeFile(join(folder, 'turn-moved.json'), JSON.stringify(turn({ sessionId })));
    await mkdir(join(folder, 'turn-folder.json'));
    await writeFile(join(folder, 'session.json'), '{}');
    // What a host leaves that is killed while it writes.
    await writeFile(join(folder, '.5f0c'), '{');
    await writeFile(join(root.path, 'stray'), '');
    expect(await store.listTurns()).toEqual([good]);
    expect(await store.listSessions()).toEqual([]);
    const places = faults.map(({ place }) => basename(place)).toSorted();
    expect(new Set(places)).toEqual(new Set(['session.json', 'turn-folder.json', 'turn-half.json', 'turn-moved.json']));
    expect(await store.advanceTurn(sessionId, 'half', { kind: 'accepted', at: 1 })).toBe(false);
    expect(await store.prune(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('have no name that leads elsewhere', async () => {
    await using root = await temporaryFolder('semo-history-');
    const store = fileSessionStore({ folder: join(root.path, 'history') });
    await mkdir(join(root.path, 'secret'));
    await writeFile(join(root.path, 'secret', 'session.json'), '{}');
    expect(await store.getSession('../secret')).toBeNull();
    expect(await store.getTurn('../secret', 'x')).toBeNull();
    expect(await store.listTurns({ sessionId: '../secret' })).toEqual([]);
  });
});
