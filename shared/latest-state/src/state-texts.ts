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

/** Names of attributes by the version that wrote them, as JSON: most attributes share few versions. Removed ones are among them. */
export function versionsText(attributes: ReadonlyMap<string, VersionedValue>): string {
  const names = new Map<string, string[]>();
  for (const [name, { version }] of attributes) {
    const text = formatVersion(version);
    const sharing = names.get(text);
    if (sharing === undefined) names.set(text, [name]);
    else sharing.push(name);
  }
  return JSON.stringify(Object.fromEntries(names));
}

export function readVersions(text: string): Map<string, EventVersion> {
  const versions = new Map<string, EventVersion>();
  const names: Readonly<Record<string, readonly string[]>> = JSON.parse(text);
  for (const [versionText, sharing] of Object.entries(names)) {
    const version = parseVersion(versionText);
    for (const name of sharing) versions.set(name, version);
  }
  return versions;
}

const POSITION = /^([^:]+):(\d+):(\d+)$/;

/** Inverse of {@link positionKey}. */
export function readPosition(text: string): Position {
  const parts = POSITION.exec(text);
  if (parts === null) throw new RangeError(`not a position: ${JSON.stringify(text)}`);
  const [, shard = '', sequence = '', sub] = parts;
  return {
    shardId: shardId(shard),
    sequenceNumber: sequenceNumber(sequence),
    subSequenceNumber: Number(sub),
  };
}

/** `shard:sequence:sub@arrival`, separated by blanks. */
export function marksText(marks: ReadonlyMap<ShardId, HighWaterMark>): string {
  return [...marks]
    .map(([shard, mark]) => `${positionKey({ ...mark, shardId: shard })}@${mark.arrivalTime}`)
    .join(' ');
}

export function readMarks(text: string): Map<ShardId, HighWaterMark> {
  return new Map(
    (text === '' ? [] : text.split(' ')).map((entry): [ShardId, HighWaterMark] => {
      const [place = '', arrivalText = ''] = entry.split('@');
      const { shardId, ...position } = readPosition(place);
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
