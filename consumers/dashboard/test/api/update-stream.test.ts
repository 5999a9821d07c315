import type { EventSourceMessage } from 'eventsource-parser';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readUpdates, type StreamEnd } from '../../src/api/update-stream.ts';

beforeEach(() => vi.stubGlobal('window', { sessionStorage: { getItem: () => null } }));
afterEach(() => vi.unstubAllGlobals());

/** What a connection tells that receives these chunks, and how it ends. */
async function read(
  chunks: readonly string[],
): Promise<{ readonly messages: readonly EventSourceMessage[]; readonly end: StreamEnd }> {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  vi.stubGlobal('fetch', async () => new Response(body));
  const messages: EventSourceMessage[] = [];
  const end = await readUpdates({
    path: 'v1/updates',
    lastEventId: undefined,
    signal: new AbortController().signal,
    onOpen: () => undefined,
    onMessage: (message) => messages.push(message),
  });
  return { messages, end };
}

test('messages come as they were sent, wherever the chunks are cut', async () => {
  const text = 'retry: 2000\n\nevent: device\ndata: {"a":"é😀"}\n\nevent: sync\nid: 7\ndata: {}\n\n';
  const expected = [
    { event: 'device', id: undefined, data: '{"a":"é😀"}' },
    { event: 'sync', id: '7', data: '{}' },
  ];
  for (const chunks of [[text], [...text], text.split(/(?<=\n)/)]) {
    expect(await read(chunks)).toEqual({ messages: expected, end: { kind: 'ended' } });
  }
});

test('a message that never ends is broken off before memory is', async () => {
  const chunks = ['data: ', ...Array.from({ length: 8 }, () => 'x'.repeat(1024 * 1024)), '\n\n'];
  expect(await read(chunks)).toEqual({ messages: [], end: { kind: 'ended' } });
});
