/** Bytes of one line at most; a longer one is passed over, and reported. An event holds 256 KiB. */
export const LINE_BYTES_MAX = 1024 * 1024;

/** One line, without its end, which is `\n` or `\r\n` or that of the file. */
export interface Line {
  /** Counts from 1, every line of the file. */
  readonly number: number;
  /** Its bytes, each as the character of that code: {@link decodeBytes} makes text of them. Undefined when it is too long. */
  readonly bytes: string | undefined;
  /** True where `\r\n` ended it. */
  readonly isCrlf?: boolean;
}

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/**
 * The lines of a file, ended by `\n` or `\r\n`, in batches as the chunks come. A byte order mark is taken away; the last
 * line needs no end. Holds one chunk and one line.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Line[]> {
  let rest = '';
  let isTooLong = false;
  let number = 0;
  let isStart = true;

  function lineOf(bytes: string): Line {
    number += 1;
    const isCrlf = bytes.endsWith('\r');
    const whole = isCrlf ? bytes.slice(0, -1) : bytes;
    const fits = !isTooLong && whole.length <= LINE_BYTES_MAX;
    isTooLong = false;
    return { number, bytes: fits ? whole : undefined, ...(isCrlf ? { isCrlf } : {}) };
  }

  for await (const chunk of chunks) {
    let text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    if (isStart) {
      if (text.length < BYTE_ORDER_MARK.length) {
        rest = text;
        continue;
      }
      if (text.startsWith(BYTE_ORDER_MARK)) text = text.slice(BYTE_ORDER_MARK.length);
      isStart = false;
    }
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    const batch = lines.map(lineOf);
    if (rest.length > LINE_BYTES_MAX) {
      rest = '';
      isTooLong = true;
    }
    if (batch.length > 0) yield batch;
  }
  if (rest !== '' || isTooLong) yield [lineOf(rest)];
}

const BEYOND_ASCII = /[\u0080-\u00ff]/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes as characters to the text that they are in UTF-8; undefined where they are none. */
export function decodeBytes(bytes: string): string | undefined {
  if (!BEYOND_ASCII.test(bytes)) return bytes;
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}
