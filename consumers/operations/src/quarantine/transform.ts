import { pathToFileURL } from 'node:url';
import { isJsonObject, type JsonValue } from '@twinstream/device-model';
import type { QuarantinedEntry, QuarantinedRecord } from '@twinstream/quarantine';
import { callerPath } from '@twinstream/runtime';
import { usageError } from '../command/refusal.ts';

/** The repaired event as text or bytes; undefined leaves the entry in quarantine. */
export type Transform = (
  entry: QuarantinedEntry,
  record: QuarantinedRecord,
) => Promise<Uint8Array | undefined>;

const utf8 = new TextEncoder();

/** Events as they are: for what only a newer version of the code can read. */
export const unchanged: Transform = async ({ data }) => data;

/**
 * A transformation, written as steps with `|` between (`.path = JSON`, `.path = .path`, `del(.path)`), or as the path of a
 * module whose default export takes (text, entry) and gives a text, an object, or undefined to leave the entry alone.
 */
export async function readTransform(text: string, folder: string): Promise<Transform> {
  if (/\.[cm]?[jt]s$/.test(text)) return moduleTransform(text, folder);
  const steps = splitSteps(text).map((step) => readStep(step.trim()));
  return async ({ data }) => {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(data).toString('utf8'));
    } catch {
      return undefined;
    }
    if (!isJsonObject(value)) return undefined;
    for (const step of steps) step(value);
    return utf8.encode(JSON.stringify(value));
  };
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
    return utf8.encode(typeof made === 'string' ? made : JSON.stringify(made));
  };
}

type Step = (event: { [name: string]: JsonValue | undefined }) => void;

const PATH = /^\.[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*$/;
const DELETION = /^del\((.*)\)$/;
const ASSIGNMENT = /^(\S+?)\s*=\s*(.*)$/s;

function readStep(text: string): Step {
  const deletion = DELETION.exec(text)?.[1]?.trim();
  if (deletion !== undefined) {
    const path = readPath(deletion, text);
    return (event) => put(event, path, undefined);
  }
  const [, target, value] = ASSIGNMENT.exec(text) ?? [];
  if (target === undefined || value === undefined) throw badStep(text);
  const path = readPath(target, text);
  if (PATH.test(value)) {
    const source = readPath(value, text);
    return (event) => put(event, path, get(event, source));
  }
  let constant: JsonValue;
  try {
    constant = JSON.parse(value);
  } catch {
    throw badStep(text);
  }
  return (event) => put(event, path, structuredClone(constant));
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

function get(
  event: { readonly [name: string]: JsonValue | undefined },
  path: readonly string[],
): JsonValue | undefined {
  let value: JsonValue | undefined = event as { [name: string]: JsonValue };
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function put(
  event: { [name: string]: JsonValue | undefined },
  path: readonly string[],
  value: JsonValue | undefined,
): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    // Not by assignment, which would reach the prototype through `__proto__`.
    Reflect.deleteProperty(event, name);
    if (value !== undefined) {
      Object.defineProperty(event, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return;
  }
  const inner = Object.hasOwn(event, name) ? event[name] : undefined;
  const next: { [name: string]: JsonValue | undefined } = isJsonObject(inner) ? { ...inner } : {};
  put(next, rest, value);
  if (value === undefined && !isJsonObject(inner)) return;
  Object.defineProperty(event, name, { value: next, enumerable: true, writable: true, configurable: true });
}
