/** One message of a text/event-stream. */
export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  /** The last id seen so far; what a client resumes from. */
  readonly id?: string;
}

/** Longest line or message kept in memory; beyond it the stream is broken off. */
const MESSAGE_CHARACTERS_MAX = 4 * 1024 * 1024;

/**
 * Splits a text/event-stream into messages, chunk by chunk (WHATWG HTML, "Interpreting an event stream").
 * `push` takes decoded text and gives the messages that it completed; throws RangeError beyond 4 MiB of one message.
 */
export function createEventStreamParser(): { push(chunk: string): ServerSentEvent[] } {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | undefined;

  const takeLine = (line: string, messages: ServerSentEvent[]): void => {
    if (line === '') {
      if (data.length > 0) {
        messages.push({
          event: event || 'message',
          data: data.join('\n'),
          ...(id === undefined ? {} : { id }),
        });
      }
      event = '';
      data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
  };

  return {
    push(chunk) {
      const messages: ServerSentEvent[] = [];
      rest += chunk;
      // A CR at the end may be half of a CRLF: it waits for the next chunk.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) takeLine(line, messages);
      const held = rest.length + data.reduce((sum, line) => sum + line.length, 0);
      if (held > MESSAGE_CHARACTERS_MAX) throw new RangeError('a message of the update stream is too long');
      return messages;
    },
  };
}
