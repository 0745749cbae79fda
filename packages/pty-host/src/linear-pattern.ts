import { SemoError, type LinePattern, type MilestonePattern } from '@semo-office/core';
import { RE2JS } from 're2js';

const FLAGS: Readonly<Record<string, number>> = { i: RE2JS.CASE_INSENSITIVE, s: RE2JS.DOTALL, u: 0 };

/**
 * Compiles a pattern of a caller's to run in time linear in the line. JavaScript's own engine backtracks: `(a+)+$` would
 * stop the host for minutes on thirty letters. RE2's algorithm cannot; what it cannot do is refused.
 *
 * @throws SemoError `invalid_argument`: not a pattern, or one with a look-around or a back-reference.
 */
export function linearPattern({ name, source, flags }: MilestonePattern): LinePattern {
  const compiled = compile({ name, source, flags });
  return { name, isIn: (line) => compiled.matcher(line).find() };
}

function compile({ name, source, flags }: MilestonePattern): RE2JS {
  const bits = Array.from(flags).reduce((sum, flag) => sum | (FLAGS[flag] ?? 0), 0);
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source), bits);
  } catch (error) {
    throw new SemoError(
      'invalid_argument',
      `The pattern of milestone ${JSON.stringify(name)} cannot run in linear time or is no pattern: ${SemoError.from(error).message}`,
      { cause: error },
    );
  }
}
