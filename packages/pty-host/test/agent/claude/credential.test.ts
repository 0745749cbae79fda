import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { credentialId, resolveCredential, withoutCredentials } from '../../../src/agent/claude/credential.ts';

const key = { variable: 'ANTHROPIC_API_KEY', value: 'key' } as const;
const token = { variable: 'CLAUDE_CODE_OAUTH_TOKEN', value: 'token' } as const;

describe('the credential of a session', () => {
  it.each([
    { name: 'the host’s key', hostEnv: { ANTHROPIC_API_KEY: 'key' }, found: key },
    { name: 'the host’s token', hostEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'token', ANTHROPIC_API_KEY: '' }, found: token },
    {
      name: 'the key before the token, as the CLI has it',
      hostEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'token', ANTHROPIC_API_KEY: 'key' },
      found: key,
    },
    {
      name: 'the gateway’s token',
      hostEnv: { ANTHROPIC_AUTH_TOKEN: 't' },
      found: { variable: 'ANTHROPIC_AUTH_TOKEN', value: 't' },
    },
    {
      name: 'the session’s own before the host’s',
      sessionEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'token' },
      hostEnv: { ANTHROPIC_API_KEY: 'key' },
      found: token,
    },
  ])('is $name', async ({ sessionEnv = {}, hostEnv, found }) => {
    expect(await resolveCredential({ sessionEnv, hostEnv, provider: undefined })).toEqual(found);
  });

  it('is asked of the provider each time, before the host’s environment', async () => {
    let asked = 0;
    const provider = () => ({ ...token, value: `token ${(asked += 1)}` });
    const resolve = () => resolveCredential({ sessionEnv: {}, hostEnv: { ANTHROPIC_API_KEY: 'key' }, provider });
    expect([(await resolve()).value, (await resolve()).value]).toEqual(['token 1', 'token 2']);
  });

  it('is missed with a sentence that says what to do', async () => {
    const resolving = resolveCredential({ sessionEnv: {}, hostEnv: {}, provider: undefined });
    await expect(resolving).rejects.toMatchObject({
      code: 'not_signed_in',
      class: 'auth',
      message: expect.stringMatching(/no API key.*claude setup-token.*--use-login/s) as string,
    });
  });

  it.each([
    { file: '.claude/.credentials.json', content: '{"claudeAiOauth":{"accessToken":"of a person"}}', ownConfig: null },
    { file: '.claude.json', content: '{"oauthAccount":{}}', ownConfig: null },
    { file: 'elsewhere/.claude.json', content: '{"oauthAccount":{}}', ownConfig: 'elsewhere' },
  ])(
    'is not the login of a person, in $file, which is told apart and never told',
    async ({ file, content, ownConfig }) => {
      await using home = await temporaryFolder('semo-home-');
      await mkdir(join(home.path, '.claude'));
      await mkdir(join(home.path, 'elsewhere'));
      await writeFile(join(home.path, file), content);
      const config = ownConfig === null ? {} : { CLAUDE_CONFIG_DIR: join(home.path, ownConfig) };
      const resolving = resolveCredential({
        sessionEnv: {},
        hostEnv: { HOME: home.path, ...config },
        provider: undefined,
      });
      const error = await resolving.then(
        () => null,
        (thrown: Error) => thrown,
      );
      expect(error?.message).toMatch(/only logged in interactively.*claude setup-token/s);
      expect(error?.message).not.toContain('of a person');
    },
  );

  it('is the only one left when all others are taken out', () => {
    const env = { ANTHROPIC_API_KEY: 'a', CLAUDE_CODE_OAUTH_TOKEN: 'b', ANTHROPIC_AUTH_TOKEN: 'c', PATH: '/bin' };
    expect(withoutCredentials(env)).toEqual({ PATH: '/bin' });
  });

  it('is known by a name, or by a digest that tells nothing of it', () => {
    expect(credentialId(token)).toBe(credentialId({ ...token }));
    expect(credentialId(token)).toMatch(/^token:[0-9a-f]{12}$/);
    expect(credentialId(key)).toMatch(/^key:[0-9a-f]{12}$/);
    expect(credentialId({ ...token, value: 'another' })).not.toBe(credentialId(token));
    // A digest that anybody could make could be looked up.
    const plain = createHash('sha256').update(token.value).digest('hex');
    expect(plain).not.toContain(credentialId(token).slice('token:'.length));
    const named = { ...token, id: 'team' };
    expect(credentialId(named)).toBe(credentialId({ ...named, value: 'refreshed' }));
    expect(credentialId(named)).toBe('name:team');
  });
});
