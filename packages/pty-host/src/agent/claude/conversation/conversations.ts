import { randomUUID } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SemoError, systemClock, type Clock } from '@semo-office/core';
import { z } from 'zod';

import type { ClaudeHome } from '../home.ts';
import { lockConversation, type ReleaseConversation } from './conversation-locks.ts';
import { isConversationKept, pruneConversations, type ConversationLimits } from './kept-conversations.ts';

/** What a session wants with conversations. */
interface ConversationWish {
  readonly keepConversation?: boolean | undefined;
  readonly resume?: string | undefined;
  readonly useLogin?: boolean | undefined;
}

/** A session's claim on its conversation. */
export interface ConversationHold {
  /** The session goes on with this one; the one before is anybody's again. */
  moveTo(conversationId: string): void;
  release(): Promise<void>;
}

/** The conversation that a session begins with. */
export interface ClaudeConversation {
  /** It is ours to choose, or to resume, so it is known before the agent has said a word. */
  readonly id: string;
  /** What tells Claude Code so. */
  readonly args: readonly string[];
  /** The folder below which it is written down. */
  readonly transcripts: string;
  /** Whether a later session can go on with it. */
  readonly isKept: boolean;
  /** See {@link ConversationHold.moveTo}. */
  moveTo(conversationId: string): void;
}

/** Options of {@link ClaudeConversations}. */
export interface ClaudeConversationsOptions extends ConversationLimits {
  readonly clock?: Clock | undefined;
}

const NOTHING_HELD: ConversationHold = { moveTo: () => undefined, release: () => Promise.resolve() };

/**
 * The conversations that outlive their sessions. Claude Code writes one as it goes, so where it lies outside the session's
 * folders it survives whatever happens. Two that go on with the same one would spoil it, and Claude Code does not mind:
 * each is locked while a session has it.
 */
export class ClaudeConversations {
  readonly #folder: string | undefined;
  readonly #options: ClaudeConversationsOptions;

  /** @param folder - Where they are kept; `undefined`: nowhere. */
  constructor(folder: string | undefined, options: ClaudeConversationsOptions = {}) {
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws SemoError `session_busy`: a living session, maybe of another process, has that conversation. */
  async hold(wish: ConversationWish): Promise<ConversationHold> {
    const folder = this.#folder;
    const { resume } = wish;
    // Whoever uses the login of the machine is alone with it.
    if (folder === undefined || wish.useLogin === true || !isKept(wish)) return NOTHING_HELD;
    const hold = new LockedConversation(folder);
    if (resume !== undefined && !(await hold.take(resume))) {
      throw new SemoError(
        'session_busy',
        `Conversation ${resume} belongs to a living session. Terminate that one first.`,
      );
    }
    return {
      moveTo: (id) => hold.moveTo(id),
      release: async () => {
        await hold.release();
        await this.#prune(folder);
      },
    };
  }

  /**
   * Begins the conversation of a session; where it is to be kept, a private configuration home is made to keep it here.
   * @throws SemoError `not_supported`; `conversation_unknown`: the one to go on with is not kept here.
   */
  async begin(
    wish: ConversationWish,
    { home, hold }: { readonly home: ClaudeHome; readonly hold: ConversationHold },
  ): Promise<ClaudeConversation> {
    const { resume } = wish;
    const id = resume ?? randomUUID();
    const transcripts = await this.#link(wish, home);
    hold.moveTo(id);
    return {
      id,
      args: [resume === undefined ? '--session-id' : '--resume', id],
      transcripts,
      isKept: isKept(wish) || !home.isPrivate,
      moveTo: (next) => hold.moveTo(next),
    };
  }

  /** Goes on with the conversation of an agent that another host has left. @throws SemoError `session_busy`. */
  async takeUp(
    wish: ConversationWish,
    { id, transcripts }: Pick<ClaudeConversation, 'id' | 'transcripts'>,
  ): Promise<{ readonly conversation: ClaudeConversation; readonly hold: ConversationHold }> {
    // What the host that died has locked is taken over.
    const hold = await this.hold(isKept(wish) ? { ...wish, resume: id } : wish);
    const moveTo = (next: string) => hold.moveTo(next);
    return { hold, conversation: { id, args: [], transcripts, isKept: isKept(wish), moveTo } };
  }

  async #link(wish: ConversationWish, home: ClaudeHome): Promise<string> {
    const ownFolder = join(home.configDir, 'projects');
    if (!home.isPrivate || !isKept(wish)) return ownFolder;
    if (this.#folder === undefined) {
      throw new SemoError('not_supported', 'This host keeps no conversations: its driver has no conversationsDir.');
    }
    const { resume } = wish;
    if (resume !== undefined && !(await isConversationKept(this.#folder, resume))) {
      const message = `No conversation ${resume} is kept on this host. Name one that a session with keepConversation had.`;
      throw new SemoError('conversation_unknown', message);
    }
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await symlink(this.#folder, ownFolder);
    return this.#folder;
  }

  /** After a session rather than before one, which has no time to lose. */
  async #prune(folder: string): Promise<void> {
    const { clock = systemClock, ...limits } = this.#options;
    // The next session that ends tries again.
    await pruneConversations(folder, { ...limits, now: clock.now() }).catch(() => undefined);
  }
}

function isKept({ keepConversation = false, resume }: ConversationWish): boolean {
  return keepConversation || resume !== undefined;
}

/** At most one conversation, locked; changes happen one after the other. */
class LockedConversation {
  readonly #folder: string;
  #id: string | null = null;
  #unlock: ReleaseConversation = () => Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether it was free. */
  async take(id: string): Promise<boolean> {
    const unlock = await lockConversation(this.#folder, id);
    if (unlock === null) return false;
    const unlockBefore = this.#unlock;
    this.#id = id;
    this.#unlock = unlock;
    await unlockBefore();
    return true;
  }

  moveTo(id: string): void {
    // It names a file: what is no id of a conversation is none of ours.
    if (id === this.#id || !z.uuid().safeParse(id).success) return;
    this.#id = id;
    // Its id was made just now: nobody else can have it, and where the disk is full the session is more than the lock.
    this.#last = this.#last.then(() => this.take(id)).catch(() => undefined);
  }

  async release(): Promise<void> {
    await this.#last;
    await this.#unlock();
  }
}
