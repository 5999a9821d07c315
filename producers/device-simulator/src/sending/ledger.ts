import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { parseExactJson } from '@twinstream/device-model';
import { CodedError, readLines } from '@twinstream/runtime';
import type { LedgerEntry, LedgerLine } from './ledger-entry.ts';

/** Bytes that are gathered for one write. */
const BLOCK_BYTES = 256 * 1024;
/** Bytes that wait for the disk at most, before those who write are asked to wait. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** UTF-8 of one UTF-16 unit at most. */
const CHARACTER_BYTES_MAX = 3;
const CLOSING_BRACE = 0x7d;
const LINE_END = 0x0a;

/** A file that takes one line per event. */
export interface Ledger {
  /** Takes a line immediately. */
  write(line: LedgerLine): void;
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
  return ledgerIn(file, path);
}

/** What a ledger needs of its file. */
export interface LedgerFile {
  appendFile(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A ledger in a file that is open, and empty. */
export function ledgerIn(file: LedgerFile, path: string): Ledger {
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Bytes of the block that hold lines. */
  let used = 0;
  let full: Buffer[] = [];
  /** Bytes that are in no file yet: those of both, and those being written. */
  let waiting = 0;
  let writing: Promise<void> | undefined;
  let failure: CodedError | undefined;

  async function drain(): Promise<void> {
    try {
      while (full.length > 0) {
        const blocks = full;
        full = [];
        for (const bytes of blocks) {
          await file.appendFile(bytes);
          waiting -= bytes.length;
        }
      }
    } catch (error) {
      failure = unwritable(path, error);
    } finally {
      writing = undefined;
    }
  }

  /** Hands the block over and begins one that holds as many bytes at least. */
  function next(bytes: number): void {
    if (used > 0) full.push(block.subarray(0, used));
    block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    used = 0;
    // Behind what could not be written nothing is written: a ledger has no holes.
    if (full.length > 0 && failure === undefined) writing ??= drain();
  }

  function write({ head, event }: LedgerLine): void {
    if (failure !== undefined) return;
    const bytesMax = head.length * CHARACTER_BYTES_MAX + (event === undefined ? 0 : event.length + 1);
    if (used + bytesMax > block.length) next(bytesMax);
    const start = used;
    used += block.write(head, used);
    if (event !== undefined) {
      block.set(event, used);
      used += event.length;
      block[used - 1] = CLOSING_BRACE;
      block[used] = LINE_END;
      used += 1;
    }
    waiting += used - start;
  }

  async function waitForRoom(): Promise<void> {
    while (failure === undefined && waiting > WAITING_BYTES_MAX) {
      next(0);
      await writing;
    }
    if (failure !== undefined) throw failure;
  }

  return {
    write,
    room: () => (failure === undefined && waiting <= WAITING_BYTES_MAX ? undefined : waitForRoom()),
    async close() {
      await writing;
      next(0);
      await writing;
      await file.close();
      if (failure !== undefined) throw failure;
    },
  };
}

/** An event holds 256 KiB, and bytes that are none come with as many characters of base64 and more. */
export const LEDGER_LINE_BYTES_MAX = 2 * 1024 * 1024;

/** The entries of a ledger, in the order of its lines. */
export async function* readLedger(path: string): AsyncGenerator<LedgerEntry> {
  const lines = readLines(createReadStream(path), { name: path, lineBytesMax: LEDGER_LINE_BYTES_MAX });
  for await (const { text } of lines) if (text !== '') yield parseExactJson(text) as LedgerEntry;
}

function unwritable(path: string, error: unknown): CodedError {
  const why = error instanceof Error ? error.message : String(error);
  return new CodedError('LEDGER_UNWRITABLE', `the ledger ${path} cannot be written: ${why}`, {
    cause: error,
  });
}
