import { CodedError } from './coded-error.ts';

/** One line of a text, without its end. */
export interface TextLine {
  /** Counts from 1, every line. */
  readonly number: number;
  readonly text: string;
}

export interface ReadLinesOptions {
  /** What is read, for error messages: a path, the key of an object. */
  readonly name: string;
  /** Bytes of the longest line, its end left out. No more than a line and a chunk is held. */
  readonly lineBytesMax: number;
  /** Told of a line that is longer, which is then passed over. Absent: such a line ends the reading. */
  readonly onTooLong?: (number: number) => void;
}

const LINE_END = 0x0a;

/**
 * The lines of UTF-8 text. A line ends with the byte `\n` and with nothing else: U+2028, U+2029 and a `\r` are text (Node's
 * readline takes each of them for a line end). The last line needs no end. Throws `LINE_TOO_LONG` unless `onTooLong` is given.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  { name, lineBytesMax, onTooLong }: ReadLinesOptions,
): AsyncGenerator<TextLine> {
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let isTooLong = false;

  /** Takes the next piece of the line; what is too long already is not held. */
  const hold = (piece: Buffer): void => {
    heldBytes += piece.length;
    if (heldBytes > lineBytesMax && !isTooLong) {
      isTooLong = true;
      held = [];
      if (onTooLong === undefined) {
        throw new CodedError(
          'LINE_TOO_LONG',
          `${name} line ${number + 1} has more than ${lineBytesMax} bytes`,
        );
      }
      onTooLong(number + 1);
    }
    if (!isTooLong && piece.length > 0) held.push(piece);
  };
  /** Ends the line. Undefined where it was too long. */
  const end = (): TextLine | undefined => {
    number += 1;
    const [first] = held;
    const line = held.length === 1 && first !== undefined ? first : Buffer.concat(held);
    const isWhole = !isTooLong;
    [held, heldBytes, isTooLong] = [[], 0, false];
    return isWhole ? { number, text: line.toString('utf8') } : undefined;
  };

  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, from)) {
      hold(bytes.subarray(from, at));
      const line = end();
      if (line !== undefined) yield line;
      from = at + 1;
    }
    if (from < bytes.length) hold(bytes.subarray(from));
  }
  const last = heldBytes > 0 ? end() : undefined;
  if (last !== undefined) yield last;
}
