/** What is wrong with a rule for tools, and what to write instead. */
export interface RuleFault {
  readonly problem: string;
  readonly instead: string;
}

/** Tools whose rules with a path are never asked, and the tool whose rules are asked in their place. */
const ASKED_INSTEAD: Readonly<Record<string, string>> = {
  Write: 'Edit',
  MultiEdit: 'Edit',
  NotebookEdit: 'Edit',
  Glob: 'Read',
};

/**
 * Why Claude Code would not heed a rule that denies or asks; `null` where it may. Only what is sure to do nothing counts:
 * a tool that we do not know may be one of a server's.
 */
export function ruleFault(rule: unknown): RuleFault | null {
  if (typeof rule !== 'string') return { problem: 'is no text', instead: '"Tool" or "Tool(pattern)"' };
  const parsed = /^([^()\s]+)(?:\((.*)\))?$/s.exec(rule);
  const [, tool = '', pattern] = parsed ?? [];
  if (parsed === null) return { problem: 'is not of the form Tool(pattern)', instead: '"Tool" or "Tool(pattern)"' };
  if (pattern === '') return { problem: 'has nothing between its parentheses', instead: `"${tool}"` };
  if (/^[a-z]/.test(tool) && !tool.startsWith('mcp__')) {
    const capital = `${tool.charAt(0).toUpperCase()}${tool.slice(1)}`;
    return { problem: 'names a tool with a small letter', instead: `"${rule.replace(tool, capital)}"` };
  }
  if (pattern === undefined) return null;
  if (tool.startsWith('mcp__'))
    return { problem: 'has a pattern, which rules for servers cannot', instead: `"${tool}"` };
  if (tool === 'WebFetch' && pattern.includes('://')) {
    return { problem: 'names an address and not a domain', instead: '"WebFetch(domain:example.com)"' };
  }
  const asked = ASKED_INSTEAD[tool];
  if (asked === undefined || pattern === '*') return null;
  return { problem: `is never asked: rules with a path are those of ${asked}`, instead: `"${asked}(${pattern})"` };
}
