import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { newId, type RequestFault, type RequestRecord } from '@semo-office/core';
import { describeRequestStoreContract } from '@semo-office/core/testing';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { fileRequestStore } from '../../src/index.ts';

describeRequestStoreContract('in files', async () => {
  const root = await temporaryFolder('semo-requests-');
  const folder = join(root.path, 'state', 'requests');
  return {
    store: fileRequestStore({ folder }),
    reopen: () => fileRequestStore({ folder }),
    close: async () => root[Symbol.asyncDispose](),
  };
});

const record = (): RequestRecord => ({
  request: {
    requestId: newId('req'),
    sessionId: newId('ses'),
    turnId: newId('turn'),
    kind: 'permission',
    askedAt: 1000,
  },
  state: { kind: 'open' },
});

describe('requests in files', () => {
  it('are for their user alone, one file each, with nothing beside them', async () => {
    await using root = await temporaryFolder('semo-requests-');
    const folder = join(root.path, 'requests');
    const store = fileRequestStore({ folder });
    expect(await store.list()).toEqual([]);
    expect(await store.settle(newId('req'), { kind: 'expired', at: 1 })).toBe(false);
    expect(await readdir(root.path)).toEqual([]);
    const { request, state } = record();
    await store.put({ request, state });
    await store.settle(request.requestId, { kind: 'expired', at: 2000 });
    const name = `${request.requestId}.json`;
    expect(await readdir(folder)).toEqual([name]);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(join(folder, name), 'utf8'))).toEqual({
      request,
      state: { kind: 'expired', at: 2000 },
    });
  });

  it('that are damaged are reported and hide no other', async () => {
    await using root = await temporaryFolder('semo-requests-');
    const faults: RequestFault[] = [];
    const store = fileRequestStore({ folder: root.path, onFault: (fault) => faults.push(fault) });
    const [good, other] = [record(), record()];
    await store.put(good);
    await writeFile(join(root.path, 'req_half.json'), '{"request":{"requestId":"req_h');
    await writeFile(join(root.path, 'req_odd.json'), JSON.stringify({ request: {}, state: { kind: 'open' } }));
    await writeFile(join(root.path, 'req_moved.json'), JSON.stringify(other));
    await mkdir(join(root.path, 'req_folder.json'));
    // What a host leaves that is killed while it writes.
    await writeFile(join(root.path, '.req_x.5f0c'), '{');
    expect(await store.list()).toEqual([good]);
    expect(faults.map(({ place }) => basename(place)).toSorted()).toEqual([
      'req_folder.json',
      'req_half.json',
      'req_moved.json',
      'req_odd.json',
    ]);
    expect(await store.get('req_half')).toBeNull();
    expect(await store.settle('req_half', { kind: 'expired', at: 1 })).toBe(false);
    expect(await store.prune(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('have no name that leads elsewhere', async () => {
    await using root = await temporaryFolder('semo-requests-');
    const store = fileRequestStore({ folder: join(root.path, 'requests') });
    await writeFile(join(root.path, 'secret.json'), JSON.stringify(record()));
    expect(await store.get('../secret')).toBeNull();
    expect(await store.settle('../secret', { kind: 'expired', at: 1 })).toBe(false);
  });
});
