import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventStreamParser, type ServerSentEvent } from '../../src/api/server-sent-events.ts';

function parseWhole(text: string): ServerSentEvent[] {
  return createEventStreamParser().push(text);
}

const line = fc.string({ unit: fc.constantFrom('a', ':', ' ', '{', 'é', '😀'), maxLength: 8 });
const message = fc.record({
  event: fc.constantFrom('device', 'leave', 'sync'),
  id: fc.option(fc.stringMatching(/^[a-z0-9]{1,6}$/), { nil: undefined }),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
});

test('messages come back as they were sent, wherever the chunks are cut and whatever ends the lines', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(200), { maxLength: 6 }),
      (messages, end, cuts) => {
        let text = `: a comment${end}retry: 2000${end}${end}`;
        const expected: ServerSentEvent[] = [];
        let lastId: string | undefined;
        for (const { event, id, data } of messages) {
          if (id !== undefined) text += `id: ${id}${end}`;
          text += `event: ${event}${end}${data.map((part) => `data: ${part}${end}`).join('')}${end}`;
          lastId = id ?? lastId;
          expected.push({ event, data: data.join('\n'), ...(lastId === undefined ? {} : { id: lastId }) });
        }
        // A last CR may be half of a line end: something must follow it.
        text += `: end${end}:`;
        const parser = createEventStreamParser();
        const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const parsed = places
          .slice(1)
          .flatMap((place, index) => parser.push(text.slice(places[index], place)));
        expect(parsed).toEqual(expected);
      },
    ),
  );
});

test('a message without data is none, and a field without a colon is empty', () => {
  expect(parseWhole('event: sync\nid: 7\n\ndata\n\n')).toEqual([{ event: 'message', data: '', id: '7' }]);
});

test('an id that holds a null is not taken', () => {
  expect(parseWhole('id: a\0b\ndata: x\n\n')).toEqual([{ event: 'message', data: 'x' }]);
});

test('a message that never ends is broken off before memory is', () => {
  const parser = createEventStreamParser();
  const chunk = 'x'.repeat(1024 * 1024);
  parser.push('data: ');
  expect(() => {
    for (let part = 0; part < 8; part += 1) parser.push(chunk);
  }).toThrow(RangeError);
});
