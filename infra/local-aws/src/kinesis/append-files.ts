import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { CodedError } from '@twinstream/runtime';

/** Files kept open; well below the 1,024 that a process may have on most machines. */
const OPEN_FILES_MAX = 200;

/** Files that are written at their end. Holds the most recently used open. */
export class AppendFiles {
  readonly #descriptors = new Map<string, number>();

  /**
   * Writes all of `bytes` at `at`, the length the file should have, creating it when absent. Whatever an earlier
   * failed write left behind `at` is cut off first. When it returns, the bytes are the operating system's: they
   * survive the end of this process, not a loss of power. Throws when they could not all be written.
   */
  append(path: string, at: number, bytes: Uint8Array): void {
    const descriptor = this.#open(path);
    const { size } = fstatSync(descriptor);
    if (size < at)
      throw new CodedError('KINESIS_SEGMENT_CORRUPT', `${path} was cut to ${size} bytes, not by us`);
    if (size > at) ftruncateSync(descriptor, at);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(descriptor, bytes, written, bytes.length - written, at + written);
    }
  }

  #open(path: string): number {
    const open = this.#descriptors.get(path);
    if (open !== undefined) {
      this.#descriptors.delete(path);
      this.#descriptors.set(path, open);
      return open;
    }
    const [oldest] = this.#descriptors.keys();
    if (oldest !== undefined && this.#descriptors.size >= OPEN_FILES_MAX) this.release(oldest);
    const descriptor = openSync(path, constants.O_CREAT | constants.O_WRONLY);
    this.#descriptors.set(path, descriptor);
    return descriptor;
  }

  /** Closes a file that will not be written soon, or is about to be deleted. */
  release(path: string): void {
    const descriptor = this.#descriptors.get(path);
    if (descriptor === undefined) return;
    this.#descriptors.delete(path);
    closeSync(descriptor);
  }

  close(): void {
    for (const path of [...this.#descriptors.keys()]) this.release(path);
  }
}
