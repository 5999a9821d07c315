import { type Updates, updateSchemas } from '@twinstream/api-contract';

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

/** Events out of the text of a stream, which may break off anywhere. Gives those that are whole, and what is left. */
export function readEvents(text: string): { readonly events: ServerEvent[]; readonly rest: string } {
  const blocks = text.split('\n\n');
  const rest = blocks.pop() ?? '';
  const events: ServerEvent[] = [];
  for (const block of blocks) {
    const fields = new Map(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    );
    const data = fields.get('data');
    if (data === undefined) continue;
    events.push({ event: fields.get('event') ?? 'message', id: fields.get('id'), data: JSON.parse(data) });
  }
  return { events, rest };
}

/** Reads a stream as it comes. */
export function eventReader(body: ReadableStream<Uint8Array>) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const events: ServerEvent[] = [];
  let rest = '';
  let ended = false;
  const pump = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const read = readEvents(rest + value);
      rest = read.rest;
      events.push(...read.events);
    }
  };
  const finished = pump().then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
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
