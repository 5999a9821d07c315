import { computed, signal } from '@preact/signals';
import type { Failure } from '../api/request.ts';
import { noteServerTime } from './clock.ts';

/** How the page hears of changes. */
export type Link =
  | { readonly kind: 'connecting' }
  /** The update stream is open. */
  | { readonly kind: 'live' }
  /** The API has no place in its update stream, or the view needs none: the page polls. */
  | { readonly kind: 'polling' }
  /** Nobody answers. */
  | { readonly kind: 'lost'; readonly detail: string; readonly retryTime: number | undefined }
  /** The API wants a token, or another one. */
  | { readonly kind: 'denied'; readonly detail: string };

type Reach =
  | { readonly kind: 'unknown' | 'answered' }
  | { readonly kind: 'lost' | 'denied'; readonly detail: string };

/** The update stream by itself. `none`: the API has no place in it, or the view needs none. */
export type StreamState = 'closed' | 'open' | 'none';

const reach = signal<Reach>({ kind: 'unknown' });
export const streamState = signal<StreamState>('closed');
/** When the stream is tried again; milliseconds since 1970, by the server's clock. */
export const retryTime = signal<number | undefined>(undefined);

export const link = computed((): Link => {
  const reached = reach.value;
  if (reached.kind === 'denied') return { kind: 'denied', detail: reached.detail };
  if (streamState.value === 'open') return { kind: 'live' };
  if (reached.kind === 'lost') return { kind: 'lost', detail: reached.detail, retryTime: retryTime.value };
  return { kind: streamState.value === 'none' && reached.kind === 'answered' ? 'polling' : 'connecting' };
});

/** What a view shows, and is true as of some moment. */
export type Shown = 'fleet' | 'device' | 'pipeline' | 'quarantine' | 'map' | 'past';
const asOfByShown = {
  fleet: signal<number | undefined>(undefined),
  device: signal<number | undefined>(undefined),
  pipeline: signal<number | undefined>(undefined),
  quarantine: signal<number | undefined>(undefined),
  map: signal<number | undefined>(undefined),
  /** Does not grow old. */
  past: signal<number | undefined>(undefined),
} as const;

/** As of when what a view shows is true, by the API's own word; milliseconds since 1970. */
export function asOfShown(shown: Shown): number | undefined {
  return asOfByShown[shown].value;
}

export function noteAsOf(shown: Shown, time: number): void {
  const known = asOfByShown[shown];
  // Whole seconds are all that is shown: what changes more often would be drawn for nothing.
  known.value = Math.max(known.peek() ?? 0, Math.floor(time / 1_000) * 1_000);
}

/** Nothing on the page moves while it is true. */
export const isPaused = signal(false);
/** Devices that were heard of while paused. */
export const heldChanges = signal(0);

/** Rises when whatever is shown should be read again: after a lost link came back, or a pause ended. */
export const revalidation = signal(0);

export function revalidate(): void {
  revalidation.value = revalidation.peek() + 1;
}

export function togglePause(): void {
  isPaused.value = !isPaused.peek();
  heldChanges.value = 0;
  if (!isPaused.peek()) revalidate();
}

/** Polls pause while nobody wants movement, or while the API would only refuse. */
export const canPoll = computed(() => !isPaused.value && reach.value.kind !== 'denied');

/** Records that the API answered. */
export function noteAnswer(serverTime?: number): void {
  noteServerTime(serverTime);
  const before = reach.peek().kind;
  if (before === 'answered') return;
  reach.value = { kind: 'answered' };
  if (before !== 'unknown') revalidate();
}

/** Records that it did not, or would not. */
export function noteFailure(failure: Failure): void {
  if (failure.kind === 'unreachable') {
    if (reach.peek().kind !== 'lost') reach.value = { kind: 'lost', detail: failure.detail };
  } else if (failure.status === 401) reach.value = { kind: 'denied', detail: failure.detail };
}

/** Tries again with another token. */
export function tryAgain(): void {
  reach.value = { kind: 'unknown' };
  revalidate();
}
