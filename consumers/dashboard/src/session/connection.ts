import { computed, signal } from '@preact/signals';
import type { Failure } from '../api/request.ts';
import { noteServerTime } from './clock.ts';

/** How the page hears of changes. */
export type Link =
  | { readonly kind: 'connecting' }
  /** The update stream is open. */
  | { readonly kind: 'live' }
  /** The API has no update stream, or no place in it: the page asks again and again. */
  | { readonly kind: 'polling' }
  /** Nobody answers. */
  | { readonly kind: 'lost'; readonly detail: string; readonly retryTime?: number }
  /** The API wants a token, or another one. */
  | { readonly kind: 'denied'; readonly detail: string };

export const link = signal<Link>({ kind: 'connecting' });

/** When something was last confirmed by the API; milliseconds since 1970, by the server's clock. */
export const asOf = signal<number | undefined>(undefined);

/** Nothing on the page moves while it is true. */
export const isPaused = signal(false);
/** Changes that were heard of while paused. */
export const heldChanges = signal(0);

/** Rises when whatever is shown should be read again: after a lost link came back, or a pause ended. */
export const revalidation = signal(0);

export function revalidate(): void {
  revalidation.value = revalidation.peek() + 1;
}

export function togglePause(): void {
  isPaused.value = !isPaused.value;
  if (isPaused.value) return;
  heldChanges.value = 0;
  revalidate();
}

/** Polls stand still while nobody looks or wants movement. */
export const canPoll = computed(() => !isPaused.value && link.value.kind !== 'denied');

/** Records that the API answered. */
export function noteAnswer(serverTime: number | undefined, answerTime: number): void {
  noteServerTime(serverTime);
  asOf.value = Math.max(asOf.peek() ?? 0, answerTime);
  const { kind } = link.peek();
  if (kind === 'connecting') link.value = { kind: 'polling' };
  if (kind === 'lost' || kind === 'denied') {
    link.value = { kind: 'connecting' };
    revalidate();
  }
}

/** Records that it did not, or would not. */
export function noteFailure(failure: Failure): void {
  if (failure.kind === 'unreachable') {
    if (link.peek().kind !== 'lost') link.value = { kind: 'lost', detail: failure.detail };
  } else if (failure.status === 401) link.value = { kind: 'denied', detail: failure.detail };
}
