import { isSamePrompt, isSelfStarted } from './paste.ts';

/** What became of a prompt that was offered: the agent took it, or got another text. */
export type DeliveryVerdict = 'accepted' | 'garbled';

/** Where the present prompt stands. Only an accepted one can be ended by a hook: a late Stop belongs to the turn before. */
type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'offered'; readonly prompt: string; readonly verdict: PromiseWithResolvers<DeliveryVerdict> }
  | { readonly kind: 'accepted'; readonly prompt: string };

/** What to do with a text that the agent is about to give to its model. */
export type PromptVerdict =
  | { readonly kind: 'accepted'; readonly prompt: string }
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'not_ours' };

/** Follows one prompt at a time from being typed to being taken. */
export class ClaudeDelivery {
  #state: State = { kind: 'none' };
  /**
   * Given up before it was taken. A busy agent may take it after all, once, also when the next one is offered already: it is
   * kept from the model, and says nothing of the next.
   */
  #withdrawn: string | null = null;

  get isOffered(): boolean {
    return this.#state.kind === 'offered';
  }

  get isAccepted(): boolean {
    return this.#state.kind === 'accepted';
  }

  /** A prompt is about to be typed; the promise tells what became of it. */
  offer(prompt: string): PromiseWithResolvers<DeliveryVerdict> {
    const verdict = Promise.withResolvers<DeliveryVerdict>();
    this.#state = { kind: 'offered', prompt, verdict };
    return verdict;
  }

  /** Another host has heard that the agent took it. */
  takeUp(prompt: string): void {
    this.#state = { kind: 'accepted', prompt };
  }

  /** Takes back what was offered and not taken yet. */
  withdraw(): void {
    if (this.#state.kind !== 'offered') return;
    this.#withdrawn = this.#state.prompt;
    this.#state = { kind: 'none' };
  }

  /** Whatever is told from now on belongs to no prompt of ours. */
  forget(): void {
    this.#state = { kind: 'none' };
  }

  /** Judges what the agent says it was given. */
  onPrompt(reported: string): PromptVerdict {
    const state = this.#state;
    if (this.#withdrawn !== null && isSamePrompt(reported, this.#withdrawn)) {
      this.#withdrawn = null;
      return { kind: 'blocked', reason: 'This prompt was taken back.' };
    }
    if (state.kind !== 'offered' || isSelfStarted(reported)) return { kind: 'not_ours' };
    if (!isSamePrompt(reported, state.prompt)) {
      state.verdict.resolve('garbled');
      return { kind: 'blocked', reason: 'This is not the prompt that was sent.' };
    }
    this.#state = { kind: 'accepted', prompt: state.prompt };
    this.#withdrawn = null;
    state.verdict.resolve('accepted');
    return { kind: 'accepted', prompt: state.prompt };
  }
}
