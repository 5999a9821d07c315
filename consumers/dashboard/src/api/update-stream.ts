import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { authorization, type Failure, readBody, refusal } from './request.ts';

/** How one connection to the update stream ended. */
export type StreamEnd =
  /** The API closed it, as a driver does that cannot hold it open; or the line broke. */
  | { readonly kind: 'ended' }
  /** It has no place for one more. */
  | { readonly kind: 'full' }
  | { readonly kind: 'aborted' }
  | Failure;

export interface UpdateStreamOptions {
  readonly path: string;
  /** Where the connection before ended: whatever changed since comes first. */
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  readonly onMessage: (message: EventSourceMessage) => void;
}

/** The API says every 10 s that all is well; a line silent for so long is dead. */
const SILENCE_MS_MAX = 30_000;

/** Longest message kept in memory; beyond it the connection ends. */
const MESSAGE_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Holds one connection to the update stream until it ends. Never throws for what a network or a server can do. */
export async function readUpdates(options: UpdateStreamOptions): Promise<StreamEnd> {
  const { path, lastEventId, signal, onOpen } = options;
  const silence = new AbortController();
  let watch = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  const heard = (): void => {
    clearTimeout(watch);
    watch = setTimeout(() => silence.abort(), SILENCE_MS_MAX);
  };
  let isOpen = false;
  try {
    const response = await fetch(path, {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        ...authorization(),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (response.status === 429) return { kind: 'full' };
    if (!response.ok || response.body === null) return refusal(response, await readBody(response));
    isOpen = true;
    onOpen();
    await readMessages(response.body, heard, options);
    return { kind: 'ended' };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (isOpen) return { kind: 'ended' };
    return { kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(watch);
    silence.abort();
  }
}

async function readMessages(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  heard: () => void,
  { onMessage }: UpdateStreamOptions,
): Promise<void> {
  const parser = createParser({
    onEvent: onMessage,
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw error;
    },
    maxBufferSize: MESSAGE_CHARACTERS_MAX,
  });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    parser.feed(value);
  }
}
