import { z } from 'zod';

import { parseEdge } from '../parse-edge.ts';
import { humanAnswerSchema, type HumanRequest, type ResolvedHumanAnswer } from '../session/human-request.ts';
import { wildcard, wildcardFault, type WildcardKind } from './wildcard.ts';

const patternSchema = (kind: WildcardKind) =>
  z.string().superRefine((pattern, context) => {
    const fault = wildcardFault(pattern, kind);
    if (fault !== null) context.addIssue({ code: 'custom', message: `Pattern ${JSON.stringify(pattern)} ${fault}.` });
  });

/** What a field of a tool's input must be. A field that is not there, or is no text where text is wanted, is nothing. */
const conditionSchema = z.union(
  [
    z.strictObject({ is: z.union([z.string(), z.number(), z.boolean()]) }),
    /** `*` is anything. */
    z.strictObject({ text: patternSchema('text') }),
    /** `*` is anything but `/`, `**` any folders; `.` and `..` are resolved first. */
    z.strictObject({ path: patternSchema('path') }),
    /** `*` is anything a shell does not act on. */
    z.strictObject({ command: patternSchema('command') }),
  ],
  { error: 'A condition is one of { is }, { text }, { path } and { command }, with a pattern that can be used.' },
);

type Condition = z.output<typeof conditionSchema>;

/**
 * Answers requests of a certain kind by itself. What is left out matches everything. Of several rules that match, one that
 * denies counts more than any that allows; of two that allow, the first.
 *
 * @example
 * ```ts
 * const rules = [
 *   { name: 'tests', tool: 'Bash', input: { command: { command: 'npm test*' } }, answer: { behavior: 'allow' } },
 *   { name: 'secrets', input: { file_path: { path: '**\/.env' } }, answer: { behavior: 'deny', message: 'Not that file.' } },
 * ] satisfies RequestRule[];
 * ```
 */
export const requestRuleSchema = z.strictObject({
  /** How it is called in records and faults. */
  name: z.string().min(1).max(100),
  kind: z.enum(['permission', 'question']).optional(),
  /** The tool's name; `*` is anything. */
  tool: patternSchema('text').optional(),
  /** Conditions on fields of the tool's input, by their names. All must hold. */
  input: z.record(z.string(), conditionSchema).default({}),
  answer: humanAnswerSchema,
});

/** See {@link requestRuleSchema}. */
export type RequestRule = z.input<typeof requestRuleSchema>;

/** What rules say to a request. */
export interface RuleVerdict {
  readonly answer: ResolvedHumanAnswer;
  /** The rule's name. */
  readonly rule: string;
}

type Test = (request: HumanRequest) => boolean;

/**
 * Compiles rules into one decision: the answer to a request, or `null` where no rule matches.
 *
 * @throws SemoError `invalid_argument`: not a rule, or one whose pattern cannot be used.
 */
export function compileRules(rules: readonly RequestRule[]): (request: HumanRequest) => RuleVerdict | null {
  const parsed = parseEdge(z.array(requestRuleSchema).max(1000), rules, { what: 'list of rules' });
  const compiled = parsed.map((rule) => ({ ...rule, test: ruleTest(rule) }));
  const byStrength = [...compiled.filter(isDenial), ...compiled.filter((rule) => !isDenial(rule))];
  return (request) => {
    const rule = byStrength.find(({ test }) => test(request));
    return rule === undefined ? null : { answer: rule.answer, rule: rule.name };
  };
}

function isDenial({ answer }: { readonly answer: ResolvedHumanAnswer }): boolean {
  return answer.behavior === 'deny';
}

function ruleTest({ kind, tool, input }: z.output<typeof requestRuleSchema>): Test {
  const isTool = tool === undefined ? null : wildcard(tool, 'text');
  const fields = Object.entries(input).map(([name, condition]) => ({ name, holds: conditionTest(condition) }));
  return (request) =>
    (kind === undefined || kind === request.kind) &&
    (isTool === null || (request.tool !== undefined && isTool(request.tool))) &&
    fields.every(({ name, holds }) => holds(fieldOf(request.input, name)));
}

function conditionTest(condition: Condition): (value: unknown) => boolean {
  if ('is' in condition) return (value) => value === condition.is;
  if ('text' in condition) return onText(wildcard(condition.text, 'text'));
  if ('command' in condition) return onText(wildcard(condition.command, 'command'));
  const isPath = wildcard(condition.path, 'path');
  return onText((text) => isPath(withoutDots(text)));
}

function onText(test: (text: string) => boolean): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && test(value);
}

/** The same path without `.`, `..` and empty names. */
function withoutDots(path: string): string {
  const isAbsolute = path.startsWith('/');
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.length > 0 && names.at(-1) !== '..') names.pop();
    else if (!isAbsolute) names.push(name);
  }
  return `${isAbsolute ? '/' : ''}${names.join('/')}`;
}

function fieldOf(input: unknown, name: string): unknown {
  if (typeof input !== 'object' || input === null || !Object.hasOwn(input, name)) return undefined;
  return (input as Record<string, unknown>)[name];
}
