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
  const file = await open(path, 'w').catch((error: unknown) => {
    throw unwritable(path, error);
  });
  let lines: string[] = [];
  /** Characters that are in no file yet: those of `lines`, and those being written. */
  let characters = 0;
  let writing: Promise<void> | undefined;
  let failure: CodedError | undefined;

  async function drain(): Promise<void> {
    try {
      while (lines.length > 0) {
        const text = lines.join('');
        lines = [];
        await file.appendFile(text);
        characters -= text.length;
      }
    } catch (error) {
      failure = unwritable(path, error);
    } finally {
      writing = undefined;
    }
  }

  function write(line: string): void {
    if (failure !== undefined) return;
    lines.push(line);
    characters += line.length;
    if (characters >= WRITE_CHARACTERS) writing ??= drain();
  }

  async function waitForRoom(): Promise<void> {
    while (failure === undefined && characters > WAITING_CHARACTERS_MAX) {
      writing ??= drain();
      await writing;
    }
    if (failure !== undefined) throw failure;
  }

  return {
    write,
    room: () => (failure === undefined && characters <= WAITING_CHARACTERS_MAX ? undefined : waitForRoom()),
    async close() {
      await writing;
      if (failure === undefined) await drain();
      await file.close();
      if (failure !== undefined) throw failure;
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
