import { type EventPattern, parseEventJson, parseEventPattern } from './event-pattern.ts';
import { invalidParameter, ok, type Result, refused } from './lambda-error.ts';
import type { SourceRecord } from './shard-reader.ts';

/** Quota of filters of a mapping ("Control which events Lambda sends to your function", developer guide, read 2026-12). */
export const FILTERS_MAX = 5;
/** `Filter`, Lambda API reference, read 2026-12. */
export const PATTERN_CHARACTERS_MAX = 4_096;

/** Whether a record is delivered. */
export type RecordFilter = (record: SourceRecord) => boolean;

/** The name below which a pattern describes the data of a record. */
const DATA = 'data';

/** Refuses patterns by which a mapping of a Kinesis stream cannot filter, naming what is wrong. */
export function checkPatterns(patterns: readonly string[]): Result<readonly string[]> {
  for (const pattern of patterns) {
    try {
      dataPattern(pattern);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const message = `FilterCriteria: Invalid filter pattern definition. ${error.message}`;
      return refused(invalidParameter(message));
    }
  }
  return ok(patterns);
}

/**
 * A filter that delivers the records that one of the patterns matches, and drops those whose data is not JSON. Undefined
 * without patterns: then each record is delivered. Source: "Using event filtering with a Kinesis event source", developer
 * guide, read 2026-12. An aggregated record is not JSON, so that it is dropped, as on AWS without enhanced fan-out.
 *
 * Throws SyntaxError for patterns that {@link checkPatterns} refuses.
 */
export function recordFilter(patterns: readonly string[]): RecordFilter | undefined {
  if (patterns.length === 0) return undefined;
  const compiled = patterns.map(dataPattern);
  return ({ data }) => {
    let parsed: unknown;
    try {
      parsed = parseEventJson(Buffer.from(data, 'base64').toString('utf8'));
    } catch {
      return false;
    }
    const event = { [DATA]: parsed };
    return compiled.some((pattern) => pattern.matches(event));
  };
}

function dataPattern(text: string): EventPattern {
  const pattern = parseEventPattern(text);
  const other = pattern.topFields.find((name) => name !== DATA);
  if (other !== undefined) throw new SyntaxError(`mappings of Kinesis filter on ${DATA}, not on ${other}`);
  return pattern;
}
