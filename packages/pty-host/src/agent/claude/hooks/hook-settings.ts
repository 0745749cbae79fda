import { TURN_EVENTS, type HookEndpoint } from './hook-listener.ts';
import { FILE_TOOLS } from '../guard/scope-guard.ts';
import { SUBAGENT_TOOLS } from '../terminal/tasks.ts';
import { PRINTING_TOOL } from '../tool-words.ts';

/** A permission question may wait for a person for days; in seconds, as hooks are configured. */
const HOOK_TIMEOUT_S = 7 * 24 * 3600;
/** A guard answers in milliseconds; what it has not answered by then does not happen. */
const GUARD_TIMEOUT_S = 60;

/** What a session's hooks are made for. */
export interface HookWish {
  /** Whether hooks tell of its turns. */
  readonly turns: boolean;
  /** Whether a hook keeps its file tools within a scope. */
  readonly guard: boolean;
  /** Whether other settings let hooks call listed addresses only. Default false. */
  readonly limitHookAddresses?: boolean | undefined;
}

/**
 * Claude Code settings that make it speak with us: every event we need goes to our listener, with the session's token.
 * Type `http` answers in 5 to 6 ms, a command would start a process each time.
 */
export function hookSettings({ url, token }: HookEndpoint, wish: HookWish): Record<string, unknown> {
  const { turns, guard, limitHookAddresses = false } = wish;
  const call = (event: string, timeout: number) => ({
    type: 'http',
    url: `${url}/${event}`,
    headers: { Authorization: `Bearer ${token}` },
    timeout,
  });
  const hooks: Record<string, unknown> = {};
  for (const event of turns ? TURN_EVENTS : []) {
    // Each call costs some milliseconds: only of tools that print what happened, or put work into the background.
    const matcher = event.startsWith('PostToolUse') ? [PRINTING_TOOL, ...SUBAGENT_TOOLS].join('|') : '*';
    hooks[event] = [{ matcher, hooks: [call(event, HOOK_TIMEOUT_S)] }];
  }
  if (guard) {
    // Without `onFailure` a tool runs when its hook cannot be asked.
    const hook = { ...call('PreToolUse', GUARD_TIMEOUT_S), onFailure: 'block' };
    hooks['PreToolUse'] = [{ matcher: FILE_TOOLS.join('|'), hooks: [hook] }];
  }
  // Lists of several settings files are taken together; alone, ours would forbid the user's hooks.
  const addresses = limitHookAddresses ? { allowedHttpHookUrls: [`${url}/*`] } : {};
  return { hooks, disableAllHooks: false, ...addresses, ...plainSettings() };
}

/** Settings for any session. */
export function plainSettings(): Record<string, unknown> {
  return {
    // Bypass mode asks for a confirmation on its first use; our caller has asked for the mode by name.
    skipDangerousModePermissionPrompt: true,
    // Without this it writes a desktop entry into the user's home.
    disableDeepLinkRegistration: 'disable',
  };
}
