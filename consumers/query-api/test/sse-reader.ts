import { type Updates, updateSchemas } from '@twinstream/api-contract';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** Throws for a message that the contract does not have, or that has a member too many. */
export function checkUpdate({ event, data }: ServerEvent): void {
  const schema = updateSchemas[event as keyof Updates].strict();
  schema.parse(data);
}

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
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  const events: ServerEvent[] = [];
  let ended = false;
  const pump = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      events.push(parsed(value));
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
