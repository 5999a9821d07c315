import { cutText } from './table.ts';
import type { TextOutput } from './text-output.ts';

/** Columns of a terminal that does not name its own. */
const COLUMNS = 80;
const CLEAR = '\r\u001b[K';

/** One line of progress on a terminal, and lines that stay above it. */
export interface LiveLine {
  /** Writes a line that stays. */
  note(line: string): void;
  /** Takes the live line away. */
  close(): void;
}

export interface LiveLineOptions {
  /** The line as it is now. */
  readonly textOf: () => string;
  readonly refreshMs: number;
  /** Lines for a program that reads the output, in place of the live line. Absent: none. */
  readonly inPipe?: { readonly textOf: () => string; readonly everyMs: number };
}

/** Shows progress on a terminal; in a pipe or a file there are the lines of `inPipe` alone. It does not keep the process alive. */
export function liveLine(output: TextOutput, { textOf, refreshMs, inPipe }: LiveLineOptions): LiveLine {
  const clear = output.isTTY ? CLEAR : '';
  // One column short of the edge, where some terminals wrap.
  const refresh = () => output.write(`${CLEAR}${cutText(textOf(), (output.columns ?? COLUMNS) - 1)}`);
  const timer = output.isTTY
    ? setInterval(refresh, refreshMs)
    : inPipe && setInterval(() => output.write(`${inPipe.textOf()}\n`), inPipe.everyMs);
  timer?.unref();
  return {
    note: (line) => void output.write(`${clear}${line}\n`),
    close: () => {
      clearInterval(timer);
      if (output.isTTY) output.write(CLEAR);
    },
  };
}
