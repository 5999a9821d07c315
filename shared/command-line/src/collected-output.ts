import type { TextOutput } from './text-output.ts';

/** Output that is kept as text instead of being shown. */
export interface CollectedOutput extends TextOutput {
  /** All that was written while somebody read. */
  text(): string;
  /** The reader goes away. */
  close(): void;
}

export interface CollectedOutputOptions {
  /** Columns of the terminal that it stands for; absent: a pipe or a file. */
  readonly columns?: number;
  /** Called with each text that is written. */
  readonly onWrite?: (text: string) => void;
}

export function collectedOutput({ columns, onWrite }: CollectedOutputOptions = {}): CollectedOutput {
  const closing = new AbortController();
  const texts: string[] = [];
  return {
    isTTY: columns !== undefined,
    columns,
    closed: closing.signal,
    write: (text) => {
      if (closing.signal.aborted) return true;
      texts.push(text);
      onWrite?.(text);
      return true;
    },
    ready: async () => undefined,
    flushed: async () => undefined,
    text: () => texts.join(''),
    close: () => closing.abort(new Error('the reader of the output has gone')),
  };
}
