import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { textOutput } from '../src/text-output.ts';

/** Takes so many texts, then fails with this code as a pipe does. */
function failingStream(texts: number, code: string) {
  const taken: string[] = [];
  const stream = new Writable({
    autoDestroy: false,
    write: (chunk, _, done) => {
      if (chunk.length > 0 && taken.length >= texts) {
        done(Object.assign(new Error(`write ${code}`), { code }));
        return;
      }
      if (chunk.length > 0) taken.push(String(chunk));
      done();
    },
  });
  return { stream, taken };
}

test('is quiet when the reader goes away, says so, and drops what is written after that', async () => {
  const { stream, taken } = failingStream(1, 'EPIPE');
  const output = textOutput(stream);
  output.write('one\n');
  await output.flushed();
  expect(output.closed.aborted).toBe(false);
  output.write('two\n');
  await output.flushed();
  expect(output.closed.aborted).toBe(true);
  expect(output.write('three\n')).toBe(true);
  await output.ready();
  await output.flushed();
  expect(taken).toEqual(['one\n']);
});

test('waits for a slow reader no longer than there is one', async () => {
  let finish: ((error: Error) => void) | undefined;
  const stream = new Writable({
    highWaterMark: 1,
    autoDestroy: false,
    write: (_, __, done) => {
      finish = done;
    },
  });
  const output = textOutput(stream);
  expect(output.write('text')).toBe(false);
  const ready = output.ready();
  finish?.(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await ready;
  expect(output.closed.aborted).toBe(true);
});

test('does not keep quiet about output that is incomplete for another reason', () => {
  const { stream } = failingStream(0, 'ENOSPC');
  textOutput(stream);
  const error = Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' });
  expect(() => stream.emit('error', error)).toThrow('ENOSPC');
});
