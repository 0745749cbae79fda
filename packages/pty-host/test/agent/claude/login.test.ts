import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { newId, sessionSpecSchema } from '@semo-office/core';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import type { LaunchContext } from '../../../src/agent/agent-driver.ts';
import { claimLogin } from '../../../src/agent/claude/login.ts';

async function machine(state: string | null, { folder = '/trusted' }: { readonly folder?: string } = {}) {
  const home = await temporaryFolder('semo-home-');
  await mkdir(join(home.path, '.claude'));
  if (state !== null) await writeFile(join(home.path, '.claude.json'), state);
  const spec = sessionSpecSchema.parse({
    sessionId: newId('ses'),
    agent: { kind: 'claude', useLogin: true },
    workspace: { kind: 'path', path: folder },
  });
  const context: LaunchContext = {
    spec,
    folder,
    folders: { config: home.path, tmp: home.path },
    baseEnv: { PATH: '/bin' },
    hostEnv: { HOME: home.path },
  };
  return { home: home.path, context, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

const TRUSTED = JSON.stringify({
  projects: { '/trusted': { hasTrustDialogAccepted: true }, '/seen': { hasTrustDialogAccepted: false } },
});

describe('the user’s own login', () => {
  it('is claimed by one at a time', async () => {
    await using here = await machine(TRUSTED);
    const login = await claimLogin(here.context);
    expect(login).toMatchObject({ configDir: join(here.home, '.claude'), env: { HOME: here.home, PATH: '/bin' } });
    await expect(claimLogin(here.context)).rejects.toMatchObject({ code: 'login_in_use', retryable: true });
    await login.release();
    expect(await readdir(join(here.home, '.claude'))).toEqual([]);
    await (await claimLogin(here.context)).release();
  });

  it('is given on when its holder has died', async () => {
    await using here = await machine(TRUSTED);
    await writeFile(
      join(here.home, '.claude', 'semo-login.lock'),
      JSON.stringify({ pid: 1, startTime: 1, hostname: 'elsewhere', nonce: 'x' }),
    );
    await expect(claimLogin(here.context)).rejects.toMatchObject({ code: 'login_in_use' });
    await writeFile(
      join(here.home, '.claude', 'semo-login.lock'),
      JSON.stringify({ pid: process.pid, startTime: 1, hostname: hostname(), nonce: 'x' }),
    );
    await (await claimLogin(here.context)).release();
  });

  it('may have a configuration home of its own', async () => {
    await using here = await machine(null);
    const config = join(here.home, '.claude');
    await writeFile(join(config, '.claude.json'), TRUSTED);
    const login = await claimLogin({ ...here.context, hostEnv: { HOME: here.home, CLAUDE_CONFIG_DIR: config } });
    expect(login.env['CLAUDE_CONFIG_DIR']).toBe(config);
    await login.release();
  });

  it('is for a folder within one that the user trusts', async () => {
    await using here = await machine(TRUSTED, { folder: '/trusted/within' });
    const login = await claimLogin(here.context);
    await login.release();
    expect(login.configDir).toBe(join(here.home, '.claude'));
  });

  it.each(['/trusted-not', '/seen', '/'])('is not for a folder that the user does not trust: %s', async (folder) => {
    await using here = await machine(TRUSTED, { folder });
    const message = expect.stringContaining(`does not trust ${folder} yet`) as string;
    await expect(claimLogin(here.context)).rejects.toMatchObject({ code: 'workspace_forbidden', message });
  });

  it.each([
    { name: 'nobody has ever logged in', state: null },
    { name: 'the state cannot be read', state: '{' },
    { name: 'the state is none', state: '{"projects":[]}' },
  ])('is missed where $name', async ({ state }) => {
    await using here = await machine(state);
    await expect(claimLogin(here.context)).rejects.toMatchObject({
      code: 'not_signed_in',
      message: expect.stringContaining('log in') as string,
    });
    await expect(claimLogin({ ...here.context, hostEnv: {} })).rejects.toMatchObject({ code: 'not_signed_in' });
  });
});
