import { decodeEvent, entryOfPlace } from '@twinstream/device-model';
import type { DeadLetter, QuarantinedEntry } from '@twinstream/quarantine';
import { positionKey } from '@twinstream/stream-model';
import { addRecordLine } from './account-for.ts';
import {
  addLine,
  archivedLine,
  type ComparisonStage,
  contentOf,
  digestOf,
  type EntryState,
} from './comparison-stage.ts';
import { identityOf } from './identity.ts';

/** An entry of the archive. */
interface Archived {
  readonly digest: string;
  readonly state: EntryState | 'valid';
  readonly partitionKey: string;
}

/** An entry of the dead-letter store. */
interface Letter {
  readonly digest: string;
  readonly key: string;
  readonly partitionKey: string;
  readonly arrivalTime: number;
  /** What an operator made of it. */
  readonly redriven?: readonly {
    readonly position: string;
    readonly deviceId: string;
    readonly identity: string;
    readonly content: string;
    /** True where it was stored before the stores were read. */
    readonly isEarlier: boolean;
  }[];
}

/** Letters sort before what the archive has of the same position. */
const LETTER = '0';

/**
 * Compares the dead-letter store with the entries of the archive, and the invalid ones of these with it, bytes included. A redriven entry
 * must be among the stored events from then on.
 */
export async function matchDeadLetters(stage: ComparisonStage): Promise<void> {
  const { entries: sorter, options, onForeign } = stage;
  for await (const letter of options.quarantine.contents(options.signal)) {
    if ('fault' in letter) {
      onForeign({ object: letter.key, fault: letter.fault });
      continue;
    }
    const { shardId, sequenceNumber, entries } = letter.record;
    for (const entry of entries) {
      const position = positionKey({ shardId, sequenceNumber, subSequenceNumber: entry.subSequenceNumber });
      addLine(
        sorter,
        [position, LETTER, JSON.stringify(letterOf(letter, entry, options.startTime))].join('\t'),
      );
    }
  }
  let position: string | undefined;
  let letters: Letter[] = [];
  let archived: Archived[] = [];
  const settle = () => {
    if (position !== undefined) settlePosition(stage, position, letters, archived);
    letters = [];
    archived = [];
  };
  for await (const { line } of sorter.sorted()) {
    const [at = '', side, ...rest] = line.split('\t');
    if (at !== position) settle();
    position = at;
    const value = JSON.parse(rest.join('\t'));
    if (side === LETTER) letters.push(value);
    else archived.push(value);
  }
  settle();
}

function letterOf(
  { key, record, resolution }: Extract<DeadLetter, { record: unknown }>,
  { subSequenceNumber, partitionKey, data }: QuarantinedEntry,
  startTime: number,
): Letter {
  const { shardId, sequenceNumber, arrivalTime } = record;
  const letter = { digest: digestOf(data), key, partitionKey, arrivalTime };
  if (resolution === undefined) return letter;
  const isEarlier = Date.parse(resolution.time) < startTime;
  const redriven = resolution.events.flatMap(({ subSequenceNumber: sub, text, sourceCounter }) => {
    if (entryOfPlace(sub) !== subSequenceNumber) return [];
    const decoded = decodeEvent(Buffer.from(text));
    if ('rejected' in decoded) return [];
    const { event } = decoded;
    const place = { sequenceNumber, subSequenceNumber: sub };
    const source = sourceCounter === undefined ? {} : { sourceCounter };
    return [
      {
        position: positionKey({ shardId, ...place }),
        deviceId: event.deviceId,
        identity: identityOf(shardId, { event, place, text: decoded.text, ...source }),
        content: contentOf(decoded.text),
        isEarlier,
      },
    ];
  });
  return redriven.length === 0 ? letter : { ...letter, redriven };
}

function settlePosition(
  { options: { devices, dueBefore }, counts, differences, identities, records }: ComparisonStage,
  position: string,
  letters: readonly Letter[],
  archived: readonly Archived[],
): void {
  const isAsked = ({ partitionKey }: { readonly partitionKey: string }) =>
    devices === undefined || devices.has(partitionKey);
  const [letter] = letters;
  const [entry] = archived;
  const redriven = letters.find((one) => one.redriven !== undefined)?.redriven;
  if (redriven === undefined) {
    if (letter !== undefined) addRecordLine(records, position, { kind: 'letter' });
  } else {
    const isMet = entry !== undefined;
    for (const { position: place, deviceId, identity, content, isEarlier } of redriven) {
      if (devices !== undefined && !devices.has(deviceId)) continue;
      const state = isEarlier ? (isMet ? 'redriven' : 'redriven-only') : isMet ? 'redriven-later' : undefined;
      if (state !== undefined) addLine(identities, archivedLine(deviceId, identity, place, content, state));
    }
  }
  if (entry === undefined) {
    // What was redriven is looked for as a stored event.
    if (letter === undefined || redriven !== undefined) return;
    if (letter.arrivalTime >= dueBefore || !isAsked(letter)) return;
    const [expected, found] = ['a line', 'none'];
    const { partitionKey } = letter;
    differences.push({ deviceId: partitionKey, kind: 'not-archived', subject: position, expected, found });
    return;
  }
  // A redrive that is under way has stored it, and left it in quarantine.
  const isInvalid = entry.state !== 'valid';
  if (isInvalid || letter !== undefined) addRecordLine(records, position, { kind: 'archived' });
  if (!isAsked(entry)) return;
  if (isInvalid) counts.positions += 1;
  else if (letter === undefined) return;
  if (letter === undefined) {
    if (entry.state !== 'finished') counts.notFinished += 1;
    else addRecordLine(records, position, { kind: 'invalid', partitionKey: entry.partitionKey });
    return;
  }
  if (redriven === undefined && isInvalid) counts.deadLetters += 1;
  const altered = letters.find(({ digest }) => archived.some((one) => one.digest !== digest));
  if (altered === undefined) return;
  const [expected, found] = ['the archived bytes', 'others'];
  differences.push({
    ...{ deviceId: entry.partitionKey, kind: 'quarantine-differs', subject: altered.key, expected, found },
  });
}
