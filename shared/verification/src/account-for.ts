import { entryOfPlace } from '@twinstream/device-model';
import { functionNameOf } from '@twinstream/pipeline-settings';
import type { LineSorter } from '@twinstream/runtime';
import { addLine, type ComparisonStage } from './comparison-stage.ts';
import { readGivenUpBatch } from './given-up-batches.ts';
import { ListedDifferences } from './missing-events.ts';

/** Something that is said of an entry of a record, or of the whole of it. */
type RecordFact =
  /** The dead-letter store has the entry. */
  | { readonly kind: 'letter' }
  /** The archive has the entry, which is invalid. */
  | { readonly kind: 'archived' }
  /** An earlier version of a mapping made of the entry what is stored. */
  | { readonly kind: 'earlier' }
  /** The event source mapping gave the whole record up. */
  | { readonly kind: 'given-up' }
  /** A stored event that the archive should have, and has not as an event. */
  | { readonly kind: 'stored'; readonly deviceId: string }
  /** An archived event that is not stored. */
  | {
      readonly kind: 'missing';
      readonly deviceId: string;
      readonly isDeviceThere: boolean;
      readonly identity: string;
    }
  /** An archived entry that is neither an event nor a dead letter. */
  | { readonly kind: 'invalid'; readonly partitionKey: string };

/** Notes a fact of a position, `shardId:sequenceNumber:subSequenceNumber`. */
export function addRecordLine(records: LineSorter<string>, position: string, fact: RecordFact): void {
  const end = position.lastIndexOf(':');
  addLine(records, `${position.slice(0, end)}\t${position.slice(end + 1)}\t${JSON.stringify(fact)}`);
}

/** Tells what of the entries that one side lacks is accounted for by dead letters and given-up batches, record by record. */
export async function accountFor(stage: ComparisonStage): Promise<void> {
  const { records, options } = stage;
  await addGivenUp(stage);
  const notArchived = new ListedDifferences();
  let record: string | undefined;
  let facts: { readonly sub: string; readonly fact: RecordFact }[] = [];
  const settle = () => {
    if (record !== undefined) settleRecord(stage, record, facts, notArchived);
    facts = [];
  };
  for await (const { line } of records.sorted()) {
    options.signal.throwIfAborted();
    const [of = '', sub = '', ...rest] = line.split('\t');
    if (of !== record) settle();
    record = of;
    facts.push({ sub, fact: JSON.parse(rest.join('\t')) });
  }
  settle();
  stage.differences.push(...notArchived.all());
}

async function addGivenUp({ records, options, onForeign }: ComparisonStage): Promise<void> {
  for await (const { key, text } of options.givenUp.texts(options.signal)) {
    const batch = readGivenUpBatch(text);
    if (batch === undefined) {
      onForeign({ object: key, fault: 'not a batch that a mapping gave up' });
      continue;
    }
    if (batch.functionName !== functionNameOf(options.projectorFunction)) continue;
    for (const sequenceNumber of batch.sequenceNumbers) {
      addLine(records, `${batch.shardId}:${sequenceNumber}\t\t${JSON.stringify({ kind: 'given-up' })}`);
    }
  }
}

function settleRecord(
  { counts, missing }: ComparisonStage,
  record: string,
  facts: readonly { readonly sub: string; readonly fact: RecordFact }[],
  notArchived: ListedDifferences,
): void {
  const subsOf = (kind: RecordFact['kind']) =>
    new Set(facts.filter(({ fact }) => fact.kind === kind).map(({ sub }) => entryOfPlace(Number(sub))));
  const [letters, archived, earlier] = [subsOf('letter'), subsOf('archived'), subsOf('earlier')];
  const isGivenUp = facts.some(({ fact }) => fact.kind === 'given-up');
  for (const { sub, fact } of facts) {
    const position = `${record}:${sub}`;
    const entry = entryOfPlace(Number(sub));
    if (fact.kind === 'stored') {
      if (archived.has(entry)) counts.eventsFound += 1;
      else {
        const { deviceId } = fact;
        const [expected, found] = ['a line', 'none'];
        notArchived.add({ deviceId, kind: 'not-archived', subject: position, expected, found });
      }
    } else if (fact.kind === 'missing' || fact.kind === 'invalid') {
      if (letters.has(entry)) counts.deadLetters += 1;
      else if (earlier.has(entry)) continue;
      else if (isGivenUp) counts.givenUp += 1;
      else if (fact.kind === 'invalid') missing.addNotQuarantined(fact.partitionKey, position);
      else if (fact.isDeviceThere) missing.addNotStored(fact.deviceId, position, fact.identity);
      else missing.addOfLostDevice(fact.deviceId);
    }
  }
}
