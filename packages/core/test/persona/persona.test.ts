import { describe, expect, it } from 'vitest';

import { parsePersona, personaVersion, renderPersona, scopePatternFault, type Persona } from '../../src/index.ts';

const MINA: Persona = {
  name: 'Mina',
  role: 'FE',
  prompt: 'Small, tested steps.',
  scopePatterns: ['src/**/*.{ts,tsx}'],
  coreSkills: ['CSS'],
};

describe('a persona', () => {
  it('is rendered the same every time, and versioned by what it says', () => {
    expect(renderPersona(MINA)).toBe(
      '# Mina (FE)\n\nSmall, tested steps.\n\n## Core skills\n\n- CSS\n\n## Scope\n\nChange only files that match one of these patterns, relative to the worktree:\n\n- `src/**/*.{ts,tsx}`\n',
    );
    expect(renderPersona({ name: 'A', role: 'QA', prompt: 'p' })).toBe('# A (QA)\n\np\n');
    expect(personaVersion(MINA)).toBe(personaVersion({ ...MINA }));
    expect(personaVersion(MINA)).not.toBe(personaVersion({ ...MINA, prompt: 'Big steps.' }));
    expect(personaVersion(MINA)).toMatch(/^v1-[0-9a-f]{12}$/);
  });

  it('may come as a row, with snake_case names', () => {
    const { scopePatterns, coreSkills } = parsePersona({
      name: 'A',
      role: 'BE',
      prompt: 'p',
      scope_patterns: ['api/**'],
      core_skills: ['SQL'],
    });
    expect({ scopePatterns, coreSkills }).toEqual({ scopePatterns: ['api/**'], coreSkills: ['SQL'] });
  });

  it.each([
    { why: 'no name', value: { ...MINA, name: ' ' } },
    { why: 'a name of two lines', value: { ...MINA, name: 'a\nb' } },
    { why: 'a role that is no folder', value: { ...MINA, role: '../x' } },
    { why: 'control characters', value: { ...MINA, prompt: 'a\u001b[2J' } },
    { why: 'the mark of the managed block', value: { ...MINA, prompt: '<!-- semo:persona end -->' } },
    { why: 'an unknown field', value: { ...MINA, extra: 1 } },
    { why: 'a bad glob', value: { ...MINA, scopePatterns: ['src/['] } },
    { why: 'no object', value: ['Mina'] },
    { why: 'nothing', value: null },
  ])('is refused with $why', ({ value }) => {
    expect(() => parsePersona(value)).toThrow(expect.objectContaining({ code: 'invalid_persona' }));
  });
});

it.each([
  ['src/**', null],
  ['*.md', null],
  ['{a,b}/[cd]?', null],
  ['', /empty/],
  [' src', /spaces/],
  ['/etc/**', /absolute/],
  ['C:/x', /absolute/],
  ['~/x', /absolute/],
  ['../x', /leaves/],
  ['a/../../x', /leaves/],
  ['!src/**', /negation/],
  ['a\\b', /backslash/],
  ['a\nb', /control/],
  ['src/[ab', /glob/],
  ['src/{a,b', /glob/],
])('a scope pattern %j has the fault %s', (pattern, fault) => {
  expect(scopePatternFault(pattern) ?? 'none').toMatch(fault ?? /^none$/);
});
