import { type JsonMember, jsonMembers, objectText } from './json-text.ts';

const EVENT_MEMBERS: ReadonlySet<string> = new Set([
  'v',
  'deviceId',
  'type',
  'time',
  'session',
  'counter',
  'data',
]);
const CORRECTION_MEMBERS: ReadonlySet<string> = new Set(['correctionId', 'reason', 'actor', 'corrects']);

/** An event's text in two parts, each JSON of an object, every member in its own words. */
export interface SplitEvent {
  /** Members with a meaning; those of a correction have one in corrections alone. */
  readonly known: string;
  /** All others; undefined where there are none. */
  readonly other?: string;
}

/** Tells the members of an event's text that have a meaning from those that the device added. Of a name that comes twice the last one counts. */
export function splitEvent(text: string, type: string): SplitEvent {
  const last = new Map(jsonMembers(text).map((member) => [member.name, member]));
  const isKnown = (name: string) =>
    EVENT_MEMBERS.has(name) || (type === 'corrected' && CORRECTION_MEMBERS.has(name));
  const words = ({ start, valueEnd }: JsonMember) => text.slice(start, valueEnd);
  const members = [...last.values()];
  const other = members.filter(({ name }) => !isKnown(name));
  return {
    known: objectText(members.filter(({ name }) => isKnown(name)).map(words)),
    ...(other.length === 0 ? {} : { other: objectText(other.map(words)) }),
  };
}
