import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { FakeClock, expectError } from '@semo-office/core/testing';
import { describe, expect, it } from 'vitest';

import { tokenSource } from '../../src/supabase/token-source.ts';
import { cliStage, type CliStage } from '../test-io.ts';

const WHO = ['--office', 'acme', '--host-id', 'mac-1'];
const SECRET = 'a-secret-of-a-project-of-40-characters-x';

async function keyFile(stage: CliStage, alg: 'ES256' | 'RS256', asList = false) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg, kid: 'key-1' };
  await writeFile(join(stage.folder, 'key.json'), JSON.stringify(asList ? [jwk] : jwk));
  return publicKey;
}

describe('semo host token', () => {
  it('names the host, its office and its end, and goes to standard output alone', async () => {
    await using stage = await cliStage([]);
    const env = { SEMO_SUPABASE_JWT_SECRET: SECRET };
    const { status, stdout, stderr } = await stage.semo(['host', 'token', ...WHO, '--expires', '2h'], { env });
    expect(status).toBe(0);
    const { payload, protectedHeader } = await jwtVerify(stdout.trim(), new TextEncoder().encode(SECRET), {
      audience: 'authenticated',
    });
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(payload).toMatchObject({
      role: 'authenticated',
      sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
      app_metadata: { semo: { role: 'host', office_id: 'acme', host_id: 'mac-1' } },
    });
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(7201);
    expect(stdout).toBe(`${stdout.trim()}\n`);
    expect(stderr).toContain(`until ${new Date(payload.exp! * 1000).toISOString()}`);
    expect(stderr).not.toContain(stdout.trim());
  });

  it.each([
    { alg: 'ES256', asList: true },
    { alg: 'RS256', asList: false },
  ] as const)('is signed with a key of the project: $alg', async ({ alg, asList }) => {
    await using stage = await cliStage([]);
    const publicKey = await keyFile(stage, alg, asList);
    const { stdout } = await stage.semo(['host', 'token', ...WHO, '--jwk-file', 'key.json']);
    const { protectedHeader } = await jwtVerify(stdout.trim(), publicKey);
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid: 'key-1' });
  });

  it.each([
    { argv: [], says: '--office ID --host-id ID' },
    { argv: ['--office', 'a b', '--host-id', 'h'], says: 'An id has' },
    { argv: [...WHO, '--expires', 'soon'], says: 'is no time' },
    { argv: [...WHO], says: 'SEMO_SUPABASE_JWT_SECRET' },
    { argv: [...WHO, '--secret-file', 'short'], says: '32 bytes' },
    { argv: [...WHO, '--secret-file', 'none'], says: 'cannot be read' },
    { argv: [...WHO, '--jwk-file', 'short'], says: 'not JSON' },
    { argv: [...WHO, '--jwk-file', 'public.json'], says: '"d"' },
    { argv: [...WHO, '--jwk-file', 'broken.json'], says: 'no private JWK' },
    { argv: [...WHO, '--jwk-file', 'short', '--secret-file', 'short'], says: 'not both' },
    { argv: [...WHO, '--secret', SECRET], says: '--secret' },
  ])('says what is wrong with $argv, and never a secret', async ({ argv, says }) => {
    await using stage = await cliStage([]);
    const part = { kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ' };
    await writeFile(join(stage.folder, 'short'), 'hush-hush\n');
    await writeFile(join(stage.folder, 'public.json'), JSON.stringify(part));
    await writeFile(join(stage.folder, 'broken.json'), JSON.stringify({ ...part, d: 'hush-hush' }));
    const { status, stdout, stderr } = await stage.semo(['host', 'token', ...argv]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/hush-hush|a-secret-of/);
  });
});

describe("a host's token", () => {
  const owner = { officeId: 'acme', hostId: 'mac-1' };
  const make = async (...argv: readonly string[]) => {
    await using stage = await cliStage([]);
    const env = { SEMO_SUPABASE_JWT_SECRET: SECRET };
    return (await stage.semo(['host', 'token', ...argv], { env })).stdout.trim();
  };

  it('is read anew each time, and given also where it looks over, with a warning: the project knows better', async () => {
    const tokens = [await make(...WHO, '--expires', '1h'), await make(...WHO, '--expires', '12h')];
    const clock = new FakeClock(Date.now());
    const warnings: string[] = [];
    let current = tokens[0]!;
    const source = tokenSource(() => Promise.resolve(current), owner, { clock, warn: (text) => warnings.push(text) });
    expect(await source()).toBe(tokens[0]);
    expect(warnings).toEqual([]);
    clock.advance(3_700_000);
    expect([await source(), await source()]).toEqual([tokens[0], tokens[0]]);
    expect(warnings).toEqual([expect.stringContaining(new Date(decodeJwt(current).exp! * 1000).toISOString())]);
    current = tokens[1]!;
    expect(await source()).toBe(tokens[1]);
    expect(warnings).toHaveLength(1);
  });

  it("is none that is somebody else's, or no token at all, and is not repeated", async () => {
    const source = (token: string) => tokenSource(() => Promise.resolve(token), owner, { warn: () => {} })();
    const other = await make('--office', 'rival', '--host-id', 'mac-1');
    const error = await expectError(source(other), 'sign_in_refused');
    expect(error.message).toContain('for host mac-1 of office rival');
    const none = await expectError(source('hush-hush'), 'sign_in_refused');
    expect(none.message).not.toContain('hush-hush');
  });
});
