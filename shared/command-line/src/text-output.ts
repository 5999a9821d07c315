import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Standard output or standard error of a command. */
export interface TextOutput {
  readonly isTTY: boolean;
  /** Columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  /** Aborted when the reader has gone, as with `| head -1`. What is written after that is dropped. */
  readonly closed: AbortSignal;
  /** False where the reader is slower than the writer: wait for {@link ready} before the next large text. */
  write(text: string): boolean;
  /** Resolves when the buffer has capacity, or when the reader has gone. */
  ready(): Promise<void>;
  /** Resolves when all that was written has reached the reader's pipe, file or terminal, or when the reader has gone. */
  flushed(): Promise<void>;
}

/**
 * Text for a stream whose reader may go away: then it is quiet, and `closed` tells callers that want to end early. Any other
 * failure of the stream, such as a full disk, is thrown as an uncaught exception, since the output is incomplete.
 */
export function textOutput(
  stream: Writable & { readonly isTTY?: boolean; readonly columns?: number },
): TextOutput {
  const closing = new AbortController();
  stream.on('error', (error: Error) => {
    // What was on its way then fails after it, in its own words.
    if (closing.signal.aborted) return;
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    closing.abort(new Error('the reader of the output has gone', { cause: error }));
  });
  const { signal: closed } = closing;
  return {
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
    closed,
    write: (text) => closed.aborted || stream.write(text),
    ready: async () => {
      if (closed.aborted || !stream.writableNeedDrain) return;
      await once(stream, 'drain', { signal: closed }).catch((error: unknown) => {
        if (!closed.aborted) throw error;
      });
    },
    flushed: async () => {
      if (closed.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      // The error of a failed write comes as an event, one turn later than this call's.
      stream.write('', () => setImmediate(resolve));
      await promise;
    },
  };
}

/**
 * Writes what is somebody's to read, and waits until it has gone so far: standard output must not fill the memory. Rejects
 * when nobody reads any more, so that it does not count as written.
 */
export async function writeToReader(output: TextOutput, text: string): Promise<void> {
  output.write(text);
  await output.flushed();
  output.closed.throwIfAborted();
}
