import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError } from '@semo-office/core';

import type { ClaudeHome } from './claude-home.ts';

/** What a session wants with conversations. */
interface ConversationWish {
  readonly keepConversation?: boolean | undefined;
  readonly resume?: string | undefined;
}

/** A session's claim on its conversation. `follow` says how to know which that is. */
export interface ConversationHold {
  follow(current: () => string | null): void;
  release(): void;
}

/**
 * The conversations that outlive their sessions. Claude Code writes one as it goes, so where it lies outside the session's
 * folders it survives whatever happens. Two that go on with the same one would spoil it, and Claude Code does not mind.
 */
export class ClaudeConversations {
  readonly #folder: string | undefined;
  readonly #held = new Set<() => string | null>();

  /** @param folder - Where they are kept; `undefined`: nowhere. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** @throws SemoError `session_busy`: a living session of this host has that conversation. */
  hold({ resume }: ConversationWish): ConversationHold {
    if (resume !== undefined && [...this.#held].some((current) => current() === resume)) {
      throw new SemoError(
        'session_busy',
        `Conversation ${resume} belongs to a living session. Terminate that one first.`,
      );
    }
    let current = () => resume ?? null;
    const ask = () => current();
    this.#held.add(ask);
    return {
      follow(now) {
        current = () => now() ?? resume ?? null;
      },
      release: () => {
        this.#held.delete(ask);
      },
    };
  }

  /** Makes a private configuration home keep its conversations here. @throws SemoError `not_supported`. */
  async link({ keepConversation = false, resume }: ConversationWish, home: ClaudeHome): Promise<void> {
    if (!home.isPrivate || (!keepConversation && resume === undefined)) return;
    if (this.#folder === undefined) {
      throw new SemoError('not_supported', 'This host keeps no conversations: its driver has no conversationsDir.');
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await symlink(this.#folder, join(home.configDir, 'projects'));
  }
}
