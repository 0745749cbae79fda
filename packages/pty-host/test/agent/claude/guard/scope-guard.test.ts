import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  claudeBinary,
  fromSubagent,
  lastToolResults,
  routeScripts,
  say,
  temporaryFolder,
  useTool,
  useTools,
  type ModelStep,
} from '@semo-office/testbed';
import { describe, expect, it } from 'vitest';

import { claudeStage } from '../claude-stage.ts';

const persona = { name: 'Mina', role: 'FE', prompt: 'Small, tested steps.', scopePatterns: ['src/**'] };
const write = (file: string) => ({ name: 'Write', input: { file_path: file, content: 'by the agent' } });

const isThere = (file: string) =>
  stat(file).then(
    () => true,
    () => false,
  );

/** The model's steps may name the stage's folder, which is known only once the stage is set. */
const inFolder = (steps: (folder: string) => ModelStep[]) => {
  const place = { folder: '' };
  return { place, script: (index: number) => steps(place.folder)[index]! };
};

describe.each(['claude', 'claude-stream'] as const)('the scope of a persona, in %s', (kind) => {
  it.each(['bypassPermissions', 'acceptEdits', 'auto'] as const)('holds in mode %s', async (permissionMode) => {
    const { place, script } = inFolder((folder) => [
      useTools([write(join(folder, 'src/in.txt')), write(join(folder, 'docs/out.txt')), write(`${folder}-out.txt`)]),
      say('I tried.'),
    ]);
    await using stage = await claudeStage((request) => script(hasResults(request) ? 1 : 0), { kind });
    place.folder = stage.folder;
    const id = await stage.open({ persona }, { permissionMode });
    const turn = await stage.ask(id, 'Write the files.');
    expect(turn.text).toBe('I tried.');
    expect(await readFile(join(stage.folder, 'src/in.txt'), 'utf8')).toBe('by the agent');
    expect(await isThere(join(stage.folder, 'docs/out.txt'))).toBe(false);
    expect(await isThere(`${stage.folder}-out.txt`)).toBe(false);
    // The model is told what it may change.
    const told = lastToolResults(stage.model.messages.at(-1)!).map(({ text }) => text);
    expect(told.join('\n')).toContain('docs/out.txt is out of scope.');
    expect(told.join('\n')).toContain('that match: src/**');
    expect(turn.evidence.filter((one) => one.kind === 'trouble')).toMatchObject([
      { by: 'guard', class: 'permission', text: expect.stringContaining('docs/out.txt') as unknown },
      { by: 'guard', class: 'permission', text: expect.stringContaining('outside the worktree') as unknown },
    ]);
  });

  it('binds subagents, and every tool that changes a file', async () => {
    const place = { folder: '' };
    const sub = [
      () => useTool('Write', write(join(place.folder, 'docs/sub.txt')).input),
      () => say('My work is done.'),
    ];
    const main = [
      () => useTool('Agent', { description: 'Sub', prompt: 'Write it.', subagent_type: 'general-purpose' }),
      () => useTool('Write', write(join(place.folder, 'src/in.txt')).input),
      () => useTool('Edit', { file_path: join(place.folder, 'src/in.txt'), old_string: 'by', new_string: 'of' }),
      () => useTool('Write', { content: 'no path' }),
      () => say('All tried.'),
    ];
    const steps = (list: (() => ModelStep)[]) => {
      let at = 0;
      // A subagent that reports late has its agent speak once more.
      return () => list[Math.min(at++, list.length - 1)]!();
    };
    const script = routeScripts([{ when: fromSubagent, script: steps(sub) }], { otherwise: steps(main) });
    await using stage = await claudeStage(script, { kind });
    place.folder = stage.folder;
    const id = await stage.open({ persona });
    const turn = await stage.ask(id, 'Have it written.');
    expect(turn.text).toBe('All tried.');
    expect(await isThere(join(stage.folder, 'docs/sub.txt'))).toBe(false);
    expect(await readFile(join(stage.folder, 'src/in.txt'), 'utf8')).toBe('of the agent');
    expect(JSON.stringify(turn.evidence)).toContain('docs/sub.txt is out of scope');
  });

  it('binds the answers of people, who may change what a tool is used with', async () => {
    const { place, script } = inFolder((folder) => [
      useTool('Write', write(join(folder, 'src/in.txt')).input),
      say('It was refused.'),
    ]);
    await using stage = await claudeStage((request) => script(hasResults(request) ? 1 : 0), { kind });
    place.folder = stage.folder;
    const id = await stage.open({ persona }, { permissionMode: 'default' });
    stage.sessions.on('request', ({ request: { requestId } }) => {
      const updatedInput = write(join(stage.folder, 'docs/out.txt')).input;
      void stage.sessions.answerRequest(requestId, { behavior: 'allow', updatedInput });
    });
    const turn = await stage.ask(id, 'Write the file.');
    expect(turn.text).toBe('It was refused.');
    expect(await isThere(join(stage.folder, 'docs/out.txt'))).toBe(false);
    expect(stage.model.messages.at(-1)!.rawBody).toContain('docs/out.txt is out of scope.');
    expect(turn.evidence).toContainEqual(expect.objectContaining({ kind: 'trouble', by: 'guard' }));
  });

  it('is proven once for sessions that start together, and costs nothing where there is none', async () => {
    await using folder = await temporaryFolder('semo-starts-');
    const [binary, log] = [join(folder.path, 'claude'), join(folder.path, 'starts')];
    await writeFile(binary, `#!/bin/sh\necho "$*" >> ${log}\nexec ${claudeBinary()} "$@"\n`, { mode: 0o755 });
    await using stage = await claudeStage(() => say('Hello.'), { kind, hostEnv: { SEMO_CLAUDE_BIN: binary } });
    const canaries = async () =>
      (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('Write the files.'));
    await stage.open({ persona: { ...persona, scopePatterns: [] } });
    expect(await canaries()).toHaveLength(0);
    await Promise.all([stage.open({ persona }), stage.open({ persona: { ...persona, scopePatterns: ['docs/**'] } })]);
    expect(await canaries()).toHaveLength(1);
  });
});

function hasResults(request: { readonly rawBody: string }): boolean {
  return request.rawBody.includes('"tool_result"');
}
