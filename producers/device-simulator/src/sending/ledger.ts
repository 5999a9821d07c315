import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { CodedError } from '@twinstream/runtime';
import type { LedgerEntry } from './ledger-entry.ts';

/** Text that is gathered for one write. */
const WRITE_CHARACTERS = 256 * 1024;
/** Text that waits for the disk at most, before those who write are asked to wait. */
const WAITING_CHARACTERS_MAX = 8 * 1024 * 1024;

/** A file that takes one line per event. */
export interface Ledger {
  /** Takes a line, at once. */
  write(line: string): void;
  /** Nothing, or a promise when so much waits for the disk that the writer should too. Rejects with `LEDGER_UNWRITABLE`. */
  room(): Promise<void> | undefined;
  /** Writes what is left. Rejects with `LEDGER_UNWRITABLE` when anything could not be written. */
  close(): Promise<void>;
}

/** Opens a new ledger in place of any that is there. Rejects with `LEDGER_UNWRITABLE`. */
export async function openLedger(path: string): Promise<Ledger> {
  const file = await open(path, 'w').catch((error) => {
    throw unwritable(path, error);
  });
  let lines: string[] = [];
  let characters = 0;
  let writing: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (lines.length > 0) {
      const text = lines.join('');
      lines = [];
      characters = 0;
      await file.appendFile(text);
    }
  }

  /** Keeps the failure, when there is one, for everyone who asks from then on. */
  function startWriting(): Promise<void> {
    const started = drain().then(
      () => {
        writing = undefined;
      },
      (error) => {
        throw unwritable(path, error);
      },
    );
    started.catch(() => undefined);
    writing = started;
    return started;
  }

  return {
    write(line) {
      lines.push(line);
      characters += line.length;
      if (characters >= WRITE_CHARACTERS && writing === undefined) startWriting();
    },
    room: () => (characters > WAITING_CHARACTERS_MAX ? (writing ?? startWriting()) : undefined),
    async close() {
      try {
        await writing;
        await startWriting();
      } finally {
        await file.close();
      }
    },
  };
}

/** The entries of a ledger, in the order of its lines. */
export async function* readLedger(path: string): AsyncGenerator<LedgerEntry> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (line !== '') yield JSON.parse(line);
}

function unwritable(path: string, error: unknown): CodedError {
  const why = error instanceof Error ? error.message : String(error);
  return new CodedError('LEDGER_UNWRITABLE', `the ledger ${path} cannot be written: ${why}`, {
    cause: error,
  });
}
