import { createReadStream } from 'node:fs';
import { callerPath, usageError } from '@twinstream/command-line';
import { isJsonObject, jsonAt } from '@twinstream/device-model';
import { CodedError, readLines } from '@twinstream/runtime';
import { withoutByteOrderMark } from '../command/byte-order-mark.ts';
import type { Transform } from './transform.ts';

const utf8 = new TextEncoder();
const LINES_MAX = 1_000_000;
/** An event holds 256 KiB, each character of which JSON may write with six. */
const LINE_BYTES_MAX = 2 * 1024 * 1024;

/** The key under which a fixed event of a file stands. */
function placeKey(shardId: string, sequenceNumber: string, subSequenceNumber: number): string {
  return `${shardId}:${sequenceNumber}:${subSequenceNumber}`;
}

/**
 * Repaired events from NDJSON: `{"shardId","sequenceNumber","subSequenceNumber","event":{…}}` a line, as `quarantine list
 * --output json` prints places. Entries that the file does not name stay in quarantine. Throws `INVALID_USAGE`.
 */
export async function fixedEvents(path: string, folder: string): Promise<Transform> {
  const texts = new Map<string, string>();
  const chunks = createReadStream(callerPath(path, folder));
  try {
    for await (const { number, text: line } of readLines(chunks, {
      name: path,
      lineBytesMax: LINE_BYTES_MAX,
    })) {
      if (number > LINES_MAX) throw usageError(`${path} has more than ${LINES_MAX} lines: split it`);
      if (line.trim() === '') continue;
      const [key, text] = readFixed(number === 1 ? withoutByteOrderMark(line) : line, path, number);
      texts.set(key, text);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw usageError(`there is no ${path}`);
    if (error instanceof CodedError && error.code === 'LINE_TOO_LONG') throw usageError(error.message);
    throw error;
  }
  return async ({ subSequenceNumber }, { shardId, sequenceNumber }) => {
    const text = texts.get(placeKey(shardId, sequenceNumber, subSequenceNumber));
    return text === undefined ? undefined : utf8.encode(text);
  };
}

function readFixed(line: string, path: string, number: number): readonly [string, string] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw usageError(`${path} line ${number} is not JSON`);
  }
  if (!isJsonObject(value)) throw usageError(`${path} line ${number} is not an object`);
  const { shardId, sequenceNumber, subSequenceNumber = 0, event } = value;
  if (
    typeof shardId !== 'string' ||
    typeof sequenceNumber !== 'string' ||
    typeof subSequenceNumber !== 'number'
  ) {
    throw usageError(`${path} line ${number} must name shardId, sequenceNumber and subSequenceNumber`);
  }
  if (!isJsonObject(event)) throw usageError(`${path} line ${number} has no event`);
  // In its own words: a number that a double does not hold stays what it is.
  const text = jsonAt(line, ['event']) ?? '';
  return [placeKey(shardId, sequenceNumber, subSequenceNumber), text];
}
