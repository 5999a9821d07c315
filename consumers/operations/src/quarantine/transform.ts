import { createReadStream } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { callerPath, usageError } from '@twinstream/command-line';
import { isJsonObject, jsonAt, withJsonAt } from '@twinstream/device-model';
import type { Transform } from '@twinstream/projection';
import { CodedError, readLines } from '@twinstream/runtime';
import { withoutByteOrderMark } from '../command/argument-values.ts';

const encoder = new TextEncoder();

/**
 * A transformation, written as steps with `|` between (`.path = JSON`, `.path = .path`, `del(.path)`), or as the path of a
 * module whose default export takes (text, entry) and returns a text, an object, or undefined to leave the entry alone.
 */
export async function readTransform(text: string, folder: string): Promise<Transform> {
  if (/\.[cm]?[jt]s$/.test(text)) return moduleTransform(text, folder);
  const steps = splitSteps(text).map((step) => readStep(step.trim()));
  return async ({ data }) => {
    const event = Buffer.from(data).toString('utf8');
    if (!isJsonObject(parsed(event))) return undefined;
    return encoder.encode(steps.reduce((made, step) => step(made), event));
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What stands between `|` outside of JSON strings. */
function splitSteps(text: string): readonly string[] {
  const steps: string[] = [];
  let [step, isString, isEscaped] = ['', false, false];
  for (const character of text) {
    if (character === '|' && !isString) {
      steps.push(step);
      step = '';
      continue;
    }
    step += character;
    if (character === '"' && !isEscaped) isString = !isString;
    isEscaped = isString && character === '\\' && !isEscaped;
  }
  return [...steps, step];
}

async function moduleTransform(path: string, folder: string): Promise<Transform> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(callerPath(path, folder)).href);
  } catch (cause) {
    throw usageError(`--transform ${path} cannot be loaded: ${String(cause)}`);
  }
  const { default: transform } = loaded;
  if (typeof transform !== 'function')
    throw usageError(`--transform ${path} has no function as its default export`);
  return async (entry, record) => {
    const { reason, detail, subSequenceNumber, partitionKey } = entry;
    const { shardId, sequenceNumber, arrivalTime } = record;
    const about = { reason, detail, partitionKey, shardId, sequenceNumber, subSequenceNumber, arrivalTime };
    const made: unknown = await transform(Buffer.from(entry.data).toString('utf8'), {
      ...about,
      data: entry.data,
    });
    if (made === undefined || made === null) return undefined;
    return encoder.encode(typeof made === 'string' ? made : JSON.stringify(made));
  };
}

/** One step on the text of an event: what it does not touch keeps its words. */
type Step = (event: string) => string;

const PATH = /^\.[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$/;
const DELETION = /^del\((.*)\)$/;
const ASSIGNMENT = /^(\S+?)\s*=\s*(.*)$/s;

function readStep(text: string): Step {
  const deletion = DELETION.exec(text)?.[1]?.trim();
  if (deletion !== undefined) {
    const path = readPath(deletion, text);
    return (event) => withJsonAt(event, path, undefined);
  }
  const [, target, value] = ASSIGNMENT.exec(text) ?? [];
  if (target === undefined || value === undefined) throw badStep(text);
  const path = readPath(target, text);
  if (PATH.test(value)) {
    const source = readPath(value, text);
    return (event) => withJsonAt(event, path, jsonAt(event, source));
  }
  try {
    JSON.parse(value);
  } catch {
    throw badStep(text);
  }
  return (event) => withJsonAt(event, path, value.trim());
}

function badStep(text: string): Error {
  return usageError(
    `--transform: ${JSON.stringify(text)} is none of  .path = JSON  .path = .path  del(.path)  module.ts`,
  );
}

function readPath(text: string, step: string): readonly string[] {
  if (!PATH.test(text)) throw badStep(step);
  return text.slice(1).split('.');
}

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
    return text === undefined ? undefined : encoder.encode(text);
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
