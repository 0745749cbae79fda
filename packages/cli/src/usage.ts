import { ERROR_CODES, type ErrorCode, type Outcome } from 'semo-office';

/** The text of `semo --help`. */
export const HELP = `semo: run coding agents and know when they are done

  semo run [options] [--] [PROMPT]     one job in an embedded office
  semo host [options]                  serve sessions to offices on this machine, or in a Supabase project
  semo host token [options]            print a token for such a host
  semo init supabase [DIR]             put what an office needs there into the project in DIR (default: here)

semo run
  --agent AGENT              claude (default), claude-stream (the same in messages, without a terminal), command or shell
  --exec 'CMD ARGS'          with --agent command: the program, in a terminal
  --exec-pipe 'CMD ARGS'     the same over pipes
  --shell SHELL              with --agent shell: bash (default), zsh, or the path of one
  --role ROLE                who works: FE, BE, QA …
  --persona FILE             JSON: name, role, prompt, scopePatterns, coreSkills
  --workdir DIR              the folder to work in, used as it is (default: here)
  --worktree BRANCH          work in a git worktree on this branch instead
  --permission-mode MODE     default, acceptEdits, plan, dontAsk, auto or bypassPermissions
  --model NAME               the model the agent should use
  --timeout TIME             500ms, 30s, 10m, 2h … (default 10m)
  --max-wall TIME            how long the session may live once it is ready (default: no limit)
  --max-output BYTES         how much the agent may print in all (default: no limit)
  --env NAME[=VALUE]         hand a variable on, or set it; may be repeated
  --prompt-file FILE|-       read the prompt from a file or standard input
  --require marker           an end without [SEMO:DONE] counts as failed
  --rules FILE               JSON: a list of rules that answer what the agent asks; the rest needs a person
  --complete-on MILESTONE    pull_request, commit, tests_passed or build_completed ends the turn; may be repeated
  --end-with-background-tasks  the agent's word counts though background tasks still run
  --keep-conversation        keep the conversation of a claude or claude-stream, so that a later run can resume it
  --resume ID                go on with a kept conversation, in the same folder
  --use-login                use this machine's own login, one session at a time
  --containment LEVEL        best (default), process_group, pid_namespace, sandbox or container
  --network host|none        none: in a sandbox without any network (not for agents that speak with a model)
  --socket PATH              run on the host that serves this socket
  --json                     one JSON object a line on standard output

semo run --agent claude-stream
  --system-prompt TEXT       instead of the agent's own system prompt
  --append-system-prompt TEXT  after the agent's own system prompt
  --max-turns N              how often the agent may call its model for the prompt (default: no limit)
  --allowed-tools RULE       a tool that needs no leave: Read, 'Bash(git log:*)' …; may be repeated
  --disallowed-tools RULE    a tool that the agent does not have; may be repeated

semo host
  --socket PATH              where to listen (mode 0600)
  --supabase-url URL         the project to serve an office in, instead of a socket
  --root DIR                 a folder sessions may work in; may be repeated (default: any)
  --repo ID=PATH             a repository sessions may name; may be repeated
  --worktrees DIR            where worktrees are made
  --containment LEVEL        the level of sessions that ask for none (default: best)
  --terminal pty|tmux        tmux: agents outlive a host that is killed, and can be watched (default: pty)

semo host --supabase-url URL
  --office ID                the office to serve
  --host-id ID               the host's name in it, the same one after a restart
  --capacity N               how many sessions it runs at once (default: 4)
  --label LABEL              what it has that others have not; may be repeated
  --key-file FILE            the project's publishable key (default: the variable SEMO_SUPABASE_KEY)
  --token-file FILE          the host's token, read again before it is over (default: the variable SEMO_HOST_TOKEN)
  --drain TIME               how long work may go on after the first signal; a second one ends it (default: 10m; 0: not at all)

semo host token
  --office ID, --host-id ID  whose token
  --expires TIME             for how long it is good (default: 12h)
  --secret-file FILE         the project's JWT secret (default: the variable SEMO_SUPABASE_JWT_SECRET)
  --jwk-file FILE            or a signing key of the project: a private JWK for ES256 or RS256

The Claude Code binary is SEMO_CLAUDE_BIN, else claude on the PATH.
Exit status of run: 0 completed, 1 failed or crashed, 2 wrong usage, 3 needs a person, 4 unknown, 124 timed out, 130 cancelled.
`;

const BY_OUTCOME: Record<Outcome, number> = {
  completed: 0,
  failed: 1,
  crashed: 1,
  needs_input: 3,
  unknown: 4,
  timed_out: 124,
  cancelled: 130,
};

/** Errors that say the command was given something wrong, not that the work went wrong. */
const USAGE_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'invalid_argument',
  'invalid_persona',
  'invalid_prompt',
  'prompt_too_long',
  'unknown_agent',
  'invalid_settings',
  'workspace_not_found',
  'workspace_not_directory',
  'workspace_forbidden',
  'repository_unknown',
  'conversation_unknown',
]);

/** The exit status of `semo run` for a result. */
export function exitStatus({
  outcome,
  error,
}: {
  readonly outcome: Outcome;
  readonly error: { readonly code: string } | null;
}): number {
  if (outcome === 'failed' && error !== null && error.code in ERROR_CODES && USAGE_ERRORS.has(error.code as ErrorCode))
    return 2;
  return BY_OUTCOME[outcome];
}
