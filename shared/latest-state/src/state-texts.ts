import {
  type CorrectionReceipt,
  type EventVersion,
  formatVersion,
  type HighWaterMark,
  parseVersion,
  type VersionedValue,
} from '@twinstream/device-model';
import { type Position, positionKey, type ShardId, sequenceNumber, shardId } from '@twinstream/stream-model';

/*
 * Parts of a device's state as compact, readable texts. Readers throw RangeError or SyntaxError for any other text.
 */

/** In the place of the names that have a version: all attributes with a value that are not named elsewhere. */
const ALL_OTHERS = '*';

/** Attributes of one version, by what stands of them in the item. */
interface VersionGroup {
  readonly names: string[];
  /** Characters of the names. A removed attribute has no value by which its name would stand in the item. */
  length: number;
  hasRemoved: boolean;
}

/**
 * Names of attributes by the version that wrote them, as JSON: most attributes share few versions. Removed ones are among
 * them. The version whose names take most stands last, with {@link ALL_OTHERS} in their place: what was read comes to the same text again.
 */
export function versionsText(attributes: ReadonlyMap<string, VersionedValue>): string {
  const groups = groupsByVersion(attributes);
  let [others, length] = ['', 0];
  for (const [version, group] of groups) {
    if (!group.hasRemoved && group.length >= length) [others, length] = [version, group.length];
  }
  if (others === '') return textOf(groups);
  groups.delete(others);
  const named = textOf(groups).slice(0, -1);
  return `${named}${groups.size === 0 ? '' : ','}${JSON.stringify(others)}:"${ALL_OTHERS}"}`;
}

/** The same with all names, as items had it that were written before 2026-12. */
export function allVersionsText(attributes: ReadonlyMap<string, VersionedValue>): string {
  return textOf(groupsByVersion(attributes));
}

function groupsByVersion(attributes: ReadonlyMap<string, VersionedValue>): Map<string, VersionGroup> {
  const groups = new Map<string, VersionGroup>();
  // Attributes of one event follow each other and have its version.
  let last: EventVersion | undefined;
  let group: VersionGroup | undefined;
  for (const [name, { value, version }] of attributes) {
    if (group === undefined || version !== last) {
      const text = formatVersion(version);
      group = groups.get(text) ?? { names: [], length: 0, hasRemoved: false };
      groups.set(text, group);
      last = version;
    }
    group.names.push(name);
    group.length += name.length;
    if (value === undefined) group.hasRemoved = true;
  }
  return groups;
}

function textOf(groups: ReadonlyMap<string, VersionGroup>): string {
  let text = '';
  for (const [version, { names }] of groups) {
    text += `${text === '' ? '' : ','}${JSON.stringify(version)}:${JSON.stringify(names)}`;
  }
  return `{${text}}`;
}

/** @param present names of the attributes that have a value */
export function readVersions(text: string, present: Iterable<string>): Map<string, EventVersion> {
  const versions = new Map<string, EventVersion>();
  const names: Readonly<Record<string, string | readonly string[]>> = JSON.parse(text);
  let others: EventVersion | undefined;
  for (const [versionText, sharing] of Object.entries(names)) {
    const version = parseVersion(versionText);
    if (typeof sharing !== 'string') for (const name of sharing) versions.set(name, version);
    else if (sharing === ALL_OTHERS && others === undefined) others = version;
    else throw new RangeError(`not a list of names: ${JSON.stringify(sharing)}`);
  }
  if (others === undefined) return versions;
  for (const name of present) if (!versions.has(name)) versions.set(name, others);
  return versions;
}

const POSITION = /^([^:]+):(\d+):(\d+)$/;

type Marks = ReadonlyMap<ShardId, HighWaterMark>;

/** {@link positionKey}, or the shard alone where the position is its high-water mark. */
export function positionText(position: Position, marks: Marks): string {
  const mark = marks.get(position.shardId);
  const isMark =
    mark?.sequenceNumber === position.sequenceNumber && mark.subSequenceNumber === position.subSequenceNumber;
  return isMark ? position.shardId : positionKey(position);
}

/** Inverse of {@link positionText}. */
export function readPosition(text: string, marks: Marks): Position {
  if (text.includes(':')) return readPositionKey(text);
  const shard = shardId(text);
  const mark = marks.get(shard);
  if (mark === undefined) throw new RangeError(`not a shard with a high-water mark: ${JSON.stringify(text)}`);
  const { sequenceNumber, subSequenceNumber } = mark;
  return { shardId: shard, sequenceNumber, subSequenceNumber };
}

/** Inverse of {@link positionKey}. */
function readPositionKey(text: string): Position {
  const parts = POSITION.exec(text);
  if (parts === null) throw new RangeError(`not a position: ${JSON.stringify(text)}`);
  const [, shard = '', sequence = '', sub] = parts;
  return {
    shardId: shardId(shard),
    sequenceNumber: sequenceNumber(sequence),
    subSequenceNumber: Number(sub),
  };
}

/** `shard:sequence:sub@arrival`, separated by blanks; without an arrival where it is the usual one. */
export function marksText(marks: Marks, usualArrival?: number): string {
  let text = '';
  for (const [shard, { sequenceNumber, subSequenceNumber, arrivalTime }] of marks) {
    if (text !== '') text += ' ';
    text += `${shard}:${sequenceNumber}:${subSequenceNumber}`;
    if (arrivalTime !== usualArrival) text += `@${arrivalTime}`;
  }
  return text;
}

/** Inverse of {@link marksText}. */
export function readMarks(text: string, usualArrival: number): Map<ShardId, HighWaterMark> {
  return new Map(
    (text === '' ? [] : text.split(' ')).map((entry): [ShardId, HighWaterMark] => {
      const [place = '', arrivalText = String(usualArrival)] = entry.split('@');
      const { shardId, ...position } = readPositionKey(place);
      if (!/^\d+$/.test(arrivalText)) throw new RangeError(`not a high-water mark: ${JSON.stringify(entry)}`);
      return [shardId, { ...position, arrivalTime: Number(arrivalText) }];
    }),
  );
}

/** JSON list of correction ids, each with the version that the correction got. */
export function correctionsText(corrections: readonly CorrectionReceipt[]): string {
  return JSON.stringify(
    corrections.map(({ correctionId, ...version }) => [correctionId, formatVersion(version)]),
  );
}

export function readCorrections(text: string): CorrectionReceipt[] {
  const entries: readonly (readonly [string, string])[] = JSON.parse(text);
  return entries.map(([correctionId, versionText]) => {
    const { session, counter, ordinal, revision } = parseVersion(versionText);
    return { correctionId, session, counter, ordinal, revision };
  });
}
