import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { callerPath, usageError } from '@twinstream/command-line';

/** What is read of samples: ten lines are enough to propose a mapping, a day of a fleet to test one. */
export const SAMPLE_BYTES_MAX = 64 * 1024 * 1024;

/** A line of the samples, which stands for one record of the stream. */
export interface SampleLine {
  /** From 1. */
  readonly number: number;
  readonly data: Uint8Array;
}

/** Lines of a file, or of standard input where the name is `-` or none. Throws `INVALID_USAGE` where there are none. */
export async function readSamples(
  file: string | undefined,
  folder: string,
  stdin: Readable,
): Promise<readonly SampleLine[]> {
  const bytes = file === undefined || file === '-' ? await all(stdin) : await contentOf(file, folder);
  const lines = linesOf(bytes);
  if (lines.length === 0) throw usageError('there are no records: give a file of one record a line');
  return lines;
}

async function contentOf(file: string, folder: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(callerPath(file, folder));
  } catch (error) {
    throw usageError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (bytes.length > SAMPLE_BYTES_MAX) throw tooLarge();
  return bytes;
}

async function all(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > SAMPLE_BYTES_MAX) throw tooLarge();
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Error {
  return usageError(`the samples have more than ${SAMPLE_BYTES_MAX} bytes: some of the lines are enough`);
}

const LINE_END = 0x0a;

function linesOf(bytes: Buffer): readonly SampleLine[] {
  const lines: SampleLine[] = [];
  let number = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(LINE_END, at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    number += 1;
    if (line.toString('latin1').trim() !== '') lines.push({ number, data: line });
    at = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}
