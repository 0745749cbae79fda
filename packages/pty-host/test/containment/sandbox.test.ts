import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { optionalTool, temporaryFolder } from '@semo-office/testbed';
import { describe, expect, it, onTestFinished } from 'vitest';

import { containedStage, skipped, type ContainedStage } from './contained-stage.ts';

const python = optionalTool('python3');

/** A folder of the host with a file in it. */
async function folderWith(name: string, text: string): Promise<string> {
  const folder = await temporaryFolder('semo-outside-');
  onTestFinished(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, name), text);
  return folder.path;
}

async function sandboxed(stage: ContainedStage, more: Parameters<ContainedStage['open']>[0] = {}): Promise<string> {
  return (await stage.open({ level: 'sandbox', ...more })).sessionId;
}

describe.skipIf(skipped.sandbox !== '')(`a sandbox${skipped.sandbox}`, () => {
  it('lets the agent write its worktree, and nothing else of the machine', async () => {
    await using stage = await containedStage();
    const { sessionId, workspace, containment } = await stage.open({ level: 'sandbox' });
    expect(containment.guarantees).toMatchObject({ files: { kind: 'scoped' }, credential: { kind: 'own' } });
    await stage.run(sessionId, 'echo inside > made.txt');
    expect(await readFile(join(workspace.path, 'made.txt'), 'utf8')).toBe('inside\n');
    for (const file of ['/etc/semo-outside', '/usr/semo-outside']) {
      const tried = await stage.run(sessionId, `{ echo x > ${file}; } 2>&1 || echo "exit $?"`);
      expect(tried).toContain('exit 1');
    }
    // Written to memory of its own, which nobody outside sees.
    const outside = await folderWith('secret', 'hunter2');
    await stage.run(sessionId, `mkdir -p ${outside} && echo lost > ${outside}/secret`);
    await stage.run(sessionId, `echo lost > ${stage.repository.path}/README.md`);
    expect(await readFile(join(stage.repository.path, 'README.md'), 'utf8')).toBe('# Test\n');
    expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('hunter2');
  });

  it.skipIf(python.path === null)(`holds against a program of its own${python.reason}`, async () => {
    await using stage = await containedStage();
    const id = await sandboxed(stage);
    const write = (file: string) => `${python.path} -c "open('${file}', 'w')" 2>&1 || echo "exit $?"`;
    expect(await stage.run(id, write('made.txt'))).toBe('');
    expect(await stage.run(id, write('/usr/semo-outside'))).toMatch(/Read-only[^]*exit 1/);
  });

  it('hides secrets in the home, what other sessions keep, and other processes', async () => {
    await using stage = await containedStage();
    await mkdir(join(stage.home, '.ssh'));
    await writeFile(join(stage.home, '.ssh', 'id_ed25519'), 'hunter2');
    await writeFile(join(stage.home, '.gitconfig'), '[user]\n\tnickname = gently\n');
    const other = await sandboxed(stage);
    const id = await sandboxed(stage);
    expect(await stage.run(id, `cat ${stage.home}/.ssh/id_ed25519 2>&1 || echo "exit $?"`)).toMatch(
      /No such file[^]*exit 1/,
    );
    expect(await stage.run(id, `ls ${stage.stateDir}/sessions`)).toBe(id);
    expect(await stage.run(id, `ls ${stage.stateDir}/sessions/${id} | sort | tr '\\n' ' '`)).toBe('config tmp');
    expect(await stage.run(id, `cat /proc/${process.pid}/environ 2>&1 || echo "exit $?"`)).toContain('exit 1');
    expect(await stage.run(id, 'git config --global user.nickname')).toBe('gently');
    expect(other).not.toBe(id);
  });

  it('does not let the agent change what git runs outside', async () => {
    await using stage = await containedStage();
    const id = await sandboxed(stage);
    const common = join(stage.repository.path, '.git');
    const attempts = [
      `git config --local core.fsmonitor /bin/true`,
      `touch ${common}/hooks/post-checkout`,
      `echo x >> ${common}/config`,
    ];
    for (const attempt of attempts)
      expect(await stage.run(id, `{ ${attempt}; } 2>&1 || echo refused`)).toContain('refused');
    expect(await stage.repository.git(['config', '--list'])).not.toContain('fsmonitor');
  });

  it('gives root none of its powers', async () => {
    await using stage = await containedStage();
    const id = await sandboxed(stage);
    expect(await stage.run(id, 'grep CapEff /proc/self/status')).toMatch(/0000000000000000$/);
    expect(await stage.run(id, 'mount -o remount,rw / 2>&1 || echo refused')).toContain('refused');
  });

  it('shows and opens what is asked for, inside the allowed roots', async () => {
    const shared = await folderWith('data.txt', 'shared');
    const scratch = await folderWith('old.txt', 'old');
    await using stage = await containedStage({ allowedRoots: [shared, scratch] });
    const id = await sandboxed(stage, { readable: [shared], writable: [scratch] });
    expect(await stage.run(id, `cat ${shared}/data.txt; touch ${shared}/new 2>&1 || echo refused`)).toMatch(
      /shared[^]*refused/,
    );
    await stage.run(id, `echo new > ${scratch}/new.txt`);
    expect(await readFile(join(scratch, 'new.txt'), 'utf8')).toBe('new\n');
    for (const [path, code] of [
      [dirname(shared), 'workspace_forbidden'],
      [join(shared, 'absent'), 'workspace_not_found'],
    ] as const)
      await expect(sandboxed(stage, { readable: [path] })).rejects.toMatchObject({ code });
  });

  it('never shows the host’s own folders, nor those that it hides, whoever asks', async () => {
    const secrets = await folderWith('host.token', 'hunter2');
    await using stage = await containedStage({ containment: { hidden: [secrets] } });
    for (const path of [stage.stateDir, secrets, join(secrets, 'host.token')])
      await expect(sandboxed(stage, { readable: [path] })).rejects.toMatchObject({ code: 'workspace_forbidden' });
    const id = await sandboxed(stage, { readable: [dirname(stage.stateDir)] });
    expect(await stage.run(id, `ls ${stage.stateDir}`)).toBe('sessions\nworktrees');
    expect(await stage.run(id, `ls ${stage.stateDir}/sessions`)).toBe(id);
  });

  it('has no network where none is asked for, not even our loopback', async () => {
    const server = createServer((_request, response) => response.end('reached'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const ask = `(exec 3<> /dev/tcp/127.0.0.1/${port} && echo reached) 2>&1`;
    await using stage = await containedStage();
    const { sessionId, containment } = await stage.open({ network: 'none' });
    expect(containment).toMatchObject({ level: 'sandbox', guarantees: { network: { kind: 'none' } } });
    expect(await stage.run(sessionId, ask)).toContain('refused');
    expect(
      await stage.run(sessionId, 'ls /sys/class/net | tr "\\n" " "; tail -n +3 /proc/net/dev | cut -d: -f1'),
    ).toMatch(/lo$/);
    expect(await stage.run(await sandboxed(stage), ask)).toContain('reached');
  });

  it('is refused without a network to an agent that speaks with a model', async () => {
    await using stage = await containedStage({
      claude: {
        binary: process.execPath,
        tokenProvider: () => Promise.resolve({ variable: 'ANTHROPIC_API_KEY', value: 'key' }),
      },
    });
    await expect(stage.open({ network: 'none' }, { agent: { kind: 'claude', useLogin: true } })).rejects.toMatchObject({
      code: 'not_supported',
    });
  });
});

describe('a wish that only a sandbox can keep', () => {
  it('is wrong beside another level', async () => {
    await using stage = await containedStage();
    await expect(stage.open({ level: 'pid_namespace', network: 'none' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  it('is not kept by something else', async () => {
    await using stage = await containedStage({ containment: { allowed: ['pid_namespace', 'process_group'] } });
    await expect(stage.open({ network: 'none' })).rejects.toMatchObject({ code: 'containment_unavailable' });
  });
});
