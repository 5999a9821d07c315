import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** A server-sent event, its data parsed. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
}

/** Events of a stream's text. */
export function readEvents(text: string): readonly ServerEvent[] {
  const events: ServerEvent[] = [];
  createParser({ onEvent: (message) => events.push(parsed(message)) }).feed(text);
  return events;
}

function parsed({ event = 'message', id, data }: EventSourceMessage): ServerEvent {
  return { event, id, data: JSON.parse(data) };
}

/** Reads a stream as it comes. */
export function eventReader(body: ReadableStream<Uint8Array>) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events: ServerEvent[] = [];
  const parser = createParser({ onEvent: (message) => events.push(parsed(message)) });
  let ended = false;
  const pump = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  };
  const end = () => {
    ended = true;
  };
  const finished = pump().then(end, end);
  return {
    events,
    /** Events since the last call. */
    take: () => events.splice(0),
    hasEnded: () => ended,
    cancel: async () => {
      await reader.cancel();
      await finished;
    },
  };
}
