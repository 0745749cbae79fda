import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import { z } from 'zod';

import { SemoError } from '../errors.ts';

/** The version of the text {@link renderPersona} makes; raised whenever its wording changes. */
export const PERSONA_TEMPLATE_VERSION = 1;

// Control characters would let a persona draw over the file around it; line ends and tabs are ordinary text.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
const MANAGED_BLOCK_MARK = 'semo:persona';

const plainText = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .refine((text) => !CONTROL.test(text), 'Control characters are not allowed.')
    .refine(
      (text) => !text.includes(MANAGED_BLOCK_MARK),
      `The text "${MANAGED_BLOCK_MARK}" marks the managed block and cannot be used inside it.`,
    );

const oneLine = (maxLength: number) => plainText(maxLength).refine((text) => !/[\r\n]/.test(text), 'One line, please.');

/** Why a scope pattern is not a usable glob, or `null` if it is one. */
export function scopePatternFault(pattern: string): string | null {
  if (pattern.trim() === '' || pattern !== pattern.trim()) return 'is empty or has spaces around it';
  if (CONTROL.test(pattern) || /[\r\n]/.test(pattern)) return 'has control characters';
  if (pattern.includes('\\')) return 'has a backslash; use "/" between folders';
  if (pattern.startsWith('/') || /^[A-Za-z]:/.test(pattern) || pattern.startsWith('~'))
    return 'is absolute; write it relative to the worktree';
  if (pattern.startsWith('!')) return 'is a negation; list what is in scope instead';
  if (pattern.split('/').includes('..')) return 'leaves the worktree with ".."';
  try {
    picomatch.makeRe(pattern, { strictBrackets: true }, false, true);
    return null;
  } catch (error) {
    return `is not a valid glob: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const scopePatternSchema = z
  .string()
  .max(1024)
  .superRefine((pattern, context) => {
    const fault = scopePatternFault(pattern);
    if (fault !== null)
      context.addIssue({ code: 'custom', message: `Scope pattern ${JSON.stringify(pattern)} ${fault}.` });
  });

/** Who an agent is: the part of its instructions that stays the same from job to job. */
export const personaSchema = z.strictObject({
  /** What it is called, one line. */
  name: oneLine(200),
  /** Its place in the crew: FE, BE, QA … Part of folder names, so letters, digits, "-" and "_". */
  role: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'A role has 1 to 64 letters, digits, "-" or "_".'),
  /** How it works, in Markdown. */
  prompt: plainText(100_000),
  /** Globs of the files it may change, relative to the worktree. Empty: no limit. */
  scopePatterns: z.array(scopePatternSchema).max(200).readonly().default([]),
  /** What it is good at, one line each. */
  coreSkills: z.array(oneLine(500)).max(100).readonly().default([]),
  /** What a job may say differently. Default: nothing. */
  overridable: z
    .array(z.enum(['prompt', 'scopePatterns', 'coreSkills']))
    .max(3)
    .readonly()
    .default([]),
});

/** See {@link personaSchema}. */
export type Persona = z.input<typeof personaSchema>;
type ParsedPersona = z.output<typeof personaSchema>;

const SNAKE_NAMES: Readonly<Record<string, string>> = { scope_patterns: 'scopePatterns', core_skills: 'coreSkills' };

/**
 * Parses a persona as it stands in a file or a database row; `scope_patterns` and `core_skills` are understood too.
 *
 * @throws SemoError `invalid_persona`, naming each field that is wrong.
 * @example
 * ```ts
 * const persona = parsePersona({ name: 'Mina', role: 'FE', prompt: 'Small, tested steps.', scope_patterns: ['src/**'] });
 * ```
 */
export function parsePersona(value: unknown): ParsedPersona {
  const named =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [SNAKE_NAMES[key] ?? key, entry]))
      : value;
  const parsed = personaSchema.safeParse(named);
  if (parsed.success) return parsed.data;
  throw new SemoError('invalid_persona', `The persona is not valid. ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}

/**
 * The persona as the Markdown an agent reads when it starts. The same persona always gives the same text.
 *
 * @throws SemoError `invalid_persona`.
 */
export function renderPersona(persona: Persona): string {
  const { name, role, prompt, scopePatterns, coreSkills } = parsePersona(persona);
  const sections = [`# ${name} (${role})`, prompt];
  if (coreSkills.length > 0) sections.push(`## Core skills\n\n${coreSkills.map((skill) => `- ${skill}`).join('\n')}`);
  if (scopePatterns.length > 0) {
    const list = scopePatterns.map((pattern) => `- \`${pattern}\``).join('\n');
    sections.push(
      `## Scope\n\nChange only files that match one of these patterns, relative to the worktree:\n\n${list}`,
    );
  }
  return `${sections.join('\n\n')}\n`;
}

/** A short digest of template version and rendered text: sessions with equal versions were told the same. */
export function personaVersion(persona: Persona): string {
  const digest = createHash('sha256').update(renderPersona(persona)).digest('hex');
  return `v${PERSONA_TEMPLATE_VERSION}-${digest.slice(0, 12)}`;
}
