import { pathToFileURL } from 'node:url';
import { callerPath, usageError } from '@twinstream/command-line';
import { isJsonObject, jsonAt, withJsonAt } from '@twinstream/device-model';
import type { QuarantinedEntry, QuarantinedRecord } from '@twinstream/quarantine';

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
 * module whose default export takes (text, entry) and returns a text, an object, or undefined to leave the entry alone.
 */
export async function readTransform(text: string, folder: string): Promise<Transform> {
  if (/\.[cm]?[jt]s$/.test(text)) return moduleTransform(text, folder);
  const steps = splitSteps(text).map((step) => readStep(step.trim()));
  return async ({ data }) => {
    const event = Buffer.from(data).toString('utf8');
    if (!isJsonObject(parsed(event))) return undefined;
    return utf8.encode(steps.reduce((made, step) => step(made), event));
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
    return utf8.encode(typeof made === 'string' ? made : JSON.stringify(made));
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
