import type { Milestone } from './milestone.ts';

/** What `git commit` prints: `[branch hash] subject`. */
const COMMIT = /\[(?<branch>detached HEAD|[^\s[\]]+)(?: \(root-commit\))? (?<hash>[0-9a-f]{7,40})\] \S/;
const COMMIT_LINE = new RegExp(`^\\s*${COMMIT.source}`);
const PULL_REQUEST = /\b(?:created|opened) (?:an? )?(?:new )?(?:draft )?(?:pull|merge) request [#!](\d+)/i;
const PULL_REQUEST_URL = /https?:\/\/[^\s"'<>()[\]]+\/(?:pull|pulls|merge_requests|pull-requests)\/(\d+)\b/;
const URL_LINE = new RegExp(`^\\s*${PULL_REQUEST_URL.source}\\s*$`);
const CREATING = /^\s*Creating (?:draft )?(?:pull|merge) request for /;
const BUILD =
  /\bbuild completed successfully\b|\bBUILD SUCCESS(?:FUL)?\b|\bBuild succe(?:eded|ss in)\b|\bcompiled successfully\b|✓ built in \d/i;
const ALL_PASSED = /\ball (?:(\d+) )?(?:the )?tests (?:have |are )?pass(?:ed|ing)?\b/i;
/** Words that make the rest of a sentence a wish, a condition or its opposite. */
const HEDGE =
  /\b(?:not|never|no|cannot|if|once|when|until|unless|whether|should|would|could|will|after|before|ensure|verify|check|expect)\b|n't\b|n’t\b|'ll\b|’ll\b/i;

/** The commit that a line of a tool's output tells of. */
export function commitInOutput(line: string): Milestone | null {
  return toCommit(COMMIT_LINE.exec(line));
}

/** The commit, pull request or build that a sentence of the agent's tells of: what it plans or denies is none. */
export function milestoneInSpeech(sentence: string): Milestone | null {
  const commit = COMMIT.exec(sentence);
  if (commit !== null) return isHedged(sentence, commit) ? null : toCommit(commit);
  return pullRequestIn(sentence) ?? buildIn(sentence);
}

/** The pull request a line says was created. */
export function pullRequestIn(line: string): Milestone | null {
  const told = PULL_REQUEST.exec(line);
  if (told === null || isHedged(line, told)) return null;
  const url = PULL_REQUEST_URL.exec(line);
  const number = Number(told[1]);
  return number > 0
    ? { kind: 'pull_request', number, ...(Number(url?.[1]) === number && url !== null ? { url: url[0] } : {}) }
    : null;
}

/** The pull request whose address stands alone on a line, as the forge's own command prints it. */
export function pullRequestAddress(line: string): Milestone | null {
  const number = Number(URL_LINE.exec(line)?.[1] ?? 0);
  return number > 0 ? { kind: 'pull_request', number, url: line.trim() } : null;
}

/** Whether a line announces that a pull request is being created; its address follows. */
export function announcesPullRequest(line: string): boolean {
  return CREATING.test(line);
}

/** The build a line says was completed. */
export function buildIn(line: string): Milestone | null {
  const told = BUILD.exec(line);
  return told === null || isHedged(line, told) ? null : { kind: 'build_completed' };
}

/** The tests of which a line says in words that they all passed. */
export function allTestsIn(line: string): Milestone | null {
  const told = ALL_PASSED.exec(line);
  if (told === null || isHedged(line, told)) return null;
  return { kind: 'tests_passed', ...(told[1] === undefined ? {} : { passed: Number(told[1]) }) };
}

function toCommit(match: RegExpExecArray | null): Milestone | null {
  const { branch, hash } = match?.groups ?? {};
  if (hash === undefined) return null;
  return { kind: 'commit', hash, ...(branch === undefined || branch === 'detached HEAD' ? {} : { branch }) };
}

function isHedged(line: string, match: RegExpExecArray): boolean {
  const before = line.slice(0, match.index);
  const sentence = before.slice(Math.max(before.lastIndexOf('. '), before.lastIndexOf('; ')) + 1);
  return HEDGE.test(sentence);
}
