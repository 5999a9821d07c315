import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { EntryDecoder } from '@twinstream/device-model';
import {
  type Appended,
  type AppendServices,
  appendRepaired,
  openBatch,
  withRefused,
} from '@twinstream/projection';
import type { ResolvableQuarantine } from '@twinstream/quarantine';
import { CodedError } from '@twinstream/runtime';
import { compareSequenceNumbers, type SequenceNumber, type StreamBatch } from '@twinstream/stream-model';
import type { StreamTransport, TransportAnswer } from '@twinstream/stream-producer';
import pLimit from 'p-limit';
import { z } from 'zod';
import { type FailedDocument, parsedJson } from './failed-document.ts';

export interface RedriveDocumentServices extends AppendServices {
  /** Checkpoints of the shards. */
  readonly finishedThrough: ReadonlyMap<string, SequenceNumber>;
  readonly decoder: EntryDecoder;
  readonly quarantine: Pick<ResolvableQuarantine, 'put'>;
  readonly lambda: LambdaClient;
  readonly archiverFunction: string;
  readonly stream: StreamTransport;
}

/** What came of a document. Only one that is `redriven` is taken out. */
export interface DocumentResult {
  /**
   * `redriven`: nothing of it is left to do. `would-redrive`: in a preview. `skipped`: not of this pipeline's functions or stream.
   * `not-finished`: the live projector has not come so far. `not-taken`: archiver or stream did not take all of it. `invalid`:
   * it cannot be read, or what the rule would have put is unknown.
   */
  readonly outcome: 'redriven' | 'would-redrive' | 'skipped' | 'not-finished' | 'not-taken' | 'invalid';
  readonly detail: string;
  readonly records: number;
  /** Events that were not stored before; of a projector's batch alone. */
  readonly stored?: number;
  readonly alreadyStored?: number;
  /** Poison records, put into quarantine; of a projector's batch alone. */
  readonly quarantined?: number;
}

const DEVICES_AT_ONCE = 16;
/** The archiver's timeout and some more. */
const INVOCATION_MS_MAX = 70_000;
const PUT_MS_MAX = 30_000;
/** Of an answer that a detail cites. */
const ANSWER_CHARACTERS_MAX = 200;

/** Redrives a document, or says what would be done. Doing it again stores no event twice, but a message is put again. */
export async function redriveDocument(
  services: RedriveDocumentServices,
  document: FailedDocument,
  { execute, signal }: { readonly execute: boolean; readonly signal: AbortSignal },
): Promise<DocumentResult> {
  if (document.kind === 'invalid') return { outcome: 'invalid', detail: document.detail, records: 0 };
  if (document.kind === 'other') return { outcome: 'skipped', detail: document.detail, records: 0 };
  if (document.kind === 'iot') {
    if (!execute) return { outcome: 'would-redrive', detail: `topic ${document.topic}`, records: 1 };
    return putMessage(services, document);
  }
  const { batch, payload, kind } = document;
  const records = batch.records.length;
  const detail = `${batch.shardId} from ${batch.records[0]?.sequenceNumber}`;
  if (kind === 'projector' && !isFinished(services, batch)) {
    const why = 'the live projector has not finished these records; try again later';
    return { outcome: 'not-finished', detail: `${detail}: ${why}`, records };
  }
  if (!execute) return { outcome: 'would-redrive', detail, records };
  return kind === 'projector'
    ? { ...(await append(services, batch, signal)), detail, records }
    : { ...(await invokeArchiver(services, payload, detail)), records };
}

function isFinished(
  { finishedThrough }: RedriveDocumentServices,
  { shardId, records }: StreamBatch,
): boolean {
  const [checkpoint, last] = [finishedThrough.get(shardId), records.at(-1)];
  return (
    checkpoint !== undefined &&
    last !== undefined &&
    compareSequenceNumbers(last.sequenceNumber, checkpoint) <= 0
  );
}

/** As the projector does, at the tail of each device's chain. Poison records are in quarantine when it returns. */
async function append(
  services: RedriveDocumentServices,
  batch: StreamBatch,
  signal: AbortSignal,
): Promise<Pick<DocumentResult, 'outcome' | 'stored' | 'alreadyStored' | 'quarantined'>> {
  const opened = openBatch(batch, services.decoder);
  const limit = pLimit({ concurrency: DEVICES_AT_ONCE, rejectOnClear: true });
  const working: Promise<Appended>[] = opened.devices.map((device) =>
    limit(() => {
      signal.throwIfAborted();
      return appendRepaired(services, device, signal);
    }),
  );
  const settled = await Promise.allSettled(working);
  const appended = settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const poison = withRefused(
    batch,
    opened.poison,
    appended.flatMap(({ refused }) => refused),
  );
  for (const record of poison) await services.quarantine.put(record, signal);
  const sum = (count: (one: Appended) => number) => appended.reduce((all, one) => all + count(one), 0);
  return {
    outcome: 'redriven',
    stored: sum(({ outcomes }) => outcomes.applied + outcomes.late),
    alreadyStored: sum(({ outcomes }) => outcomes.duplicate + outcomes.redelivered),
    quarantined: poison.length,
  };
}

/** What a function that reports batch item failures answers. */
const batchAnswer = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

/** The archive may hold lines twice, under the same position: a batch is invoked again as a whole. */
async function invokeArchiver(
  { lambda, archiverFunction }: RedriveDocumentServices,
  payload: string,
  detail: string,
): Promise<Pick<DocumentResult, 'outcome' | 'detail'>> {
  const command = new InvokeCommand({ FunctionName: archiverFunction, Payload: Buffer.from(payload) });
  const { FunctionError, Payload } = await lambda.send(command, {
    abortSignal: AbortSignal.timeout(INVOCATION_MS_MAX),
    requestTimeout: INVOCATION_MS_MAX,
  });
  const text = Payload?.transformToString() ?? '';
  if (FunctionError !== undefined) {
    return { outcome: 'not-taken', detail: `${detail}: ${archiverFunction} failed: ${text}` };
  }
  const answer = batchAnswer.safeParse(parsedJson(text)).data;
  if (answer === undefined) {
    const why = `${archiverFunction} does not report batch item failures: ${text.slice(0, ANSWER_CHARACTERS_MAX)}`;
    return { outcome: 'not-taken', detail: `${detail}: ${why}` };
  }
  const [left] = answer.batchItemFailures;
  if (left === undefined) return { outcome: 'redriven', detail };
  return { outcome: 'not-taken', detail: `${detail}: not archived from ${left.itemIdentifier} on` };
}

async function putMessage(
  { stream }: RedriveDocumentServices,
  { record, topic }: Extract<FailedDocument, { kind: 'iot' }>,
): Promise<DocumentResult> {
  const notTaken = (why: string): DocumentResult => ({
    outcome: 'not-taken',
    detail: `topic ${topic}: ${why}`,
    records: 1,
  });
  let answers: readonly TransportAnswer[];
  try {
    answers = await stream.putRecords([record], AbortSignal.timeout(PUT_MS_MAX));
  } catch (error) {
    // The fault of this message: the others are not kept from the stream.
    if (error instanceof CodedError && error.code === 'REQUEST_INVALID') return notTaken(error.message);
    throw error;
  }
  const [answer] = answers;
  if (answer?.status !== 'stored') return notTaken(answer?.message ?? 'the stream gave no answer');
  return { outcome: 'redriven', detail: `topic ${topic}: ${answer.shardId}`, records: 1 };
}
