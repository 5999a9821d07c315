import { Encoder, Tag } from 'cbor-x';
import { serializationFailed } from './api-error.ts';
import { recordArrivalMs, recordCounter, recordData, recordPartitionKey } from './record-frame.ts';
import { recordOffset } from './segment.ts';
import { sequenceNumberText } from './sequence-numbering.ts';
import { type RecordsAnswer, Timestamp, type WireFormat } from './wire-format.ts';

/** CBOR's tag of a time since 1970 (RFC 8949, section 3.4.2). */
const EPOCH_TAG = 1;
/** Above it the encoder would write a float, which a reader of AWS's CBOR does not expect of an integer. */
const ENCODED_INTEGER_MAX = 2 ** 32 - 1;
/** AWS's CBOR counts ms, everyone else's s: 1e11 s are the year 5138, 1e11 ms are 1973. */
const SECONDS_MAX = 1e11;

const codecOptions = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  // Missing from the types of cbor-x 1.6.9: without it a tagged 64-bit time cannot be read.
  int64AsNumber: true,
};
const codec = new Encoder(codecOptions);

/** AWS CBOR 1.1, which the SDKs for Java speak: as JSON 1.1, but times are tagged integers of ms. */
export const awsCborFormat: WireFormat = {
  ...cborFormat((ms) => new Tag(BigInt(ms), EPOCH_TAG)),
  contentType: 'application/x-amz-cbor-1.1',
  headers: {},
  errorType: (code) => code,
};

/** Smithy RPC v2 CBOR: times are tagged seconds (smithy.io, "Smithy RPC v2 CBOR protocol", read 2026-11). */
export const rpcV2CborFormat: WireFormat = {
  ...cborFormat((ms) => new Tag(ms / 1000, EPOCH_TAG)),
  contentType: 'application/cbor',
  headers: { 'smithy-protocol': 'rpc-v2-cbor' },
  errorType: (code) => `com.amazonaws.kinesis#${code}`,
};

type CborValues = Pick<WireFormat, 'parse' | 'blob' | 'timestampMs' | 'write' | 'writeRecords'>;

function cborFormat(taggedTime: (ms: number) => Tag): CborValues {
  const value = (member: unknown): unknown => {
    if (member instanceof Timestamp) return taggedTime(member.ms);
    if (typeof member === 'number') return cborNumber(member);
    if (Array.isArray(member)) return member.map(value);
    if (typeof member !== 'object' || member === null) return member;
    const defined = Object.entries(member).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(defined.map(([name, inner]) => [name, value(inner)]));
  };
  return {
    parse: (body) => {
      try {
        return codec.decode(body);
      } catch (error) {
        throw serializationFailed(`the body is not CBOR: ${error instanceof Error ? error.message : error}`);
      }
    },
    blob: (bytes) => {
      if (bytes instanceof Uint8Array) return bytes;
      throw serializationFailed(`a ${typeof bytes} can not be converted to a Blob`);
    },
    timestampMs: readTimestampMs,
    write: (members) => codec.encode(value(members)),
    writeRecords: (answer) =>
      codec.encode({ Records: records(answer, taggedTime), ...Object(value(answer.rest)) }),
  };
}

function cborNumber(number: number): number | bigint {
  return Number.isInteger(number) && number > ENCODED_INTEGER_MAX ? BigInt(number) : number;
}

/** The decoder has made a Date of tagged seconds. A number of ms is then a thousand times too late. */
function readTimestampMs(value: unknown): number {
  if (!(value instanceof Date) && typeof value !== 'number') {
    throw serializationFailed(`a ${typeof value} can not be converted to milliseconds since epoch`);
  }
  const seconds = value instanceof Date ? value.getTime() / 1000 : value;
  return Math.round(seconds > SECONDS_MAX ? seconds : seconds * 1000);
}

function records({ runs, numbering }: RecordsAnswer, taggedTime: (ms: number) => Tag) {
  return runs.flatMap(({ content, from, to }) =>
    Array.from({ length: to - from }, (_, index) => {
      const at = recordOffset(content, from + index);
      const arrivalMs = recordArrivalMs(content.bytes, at);
      return {
        SequenceNumber: sequenceNumberText(numbering, recordCounter(content.bytes, at), arrivalMs),
        ApproximateArrivalTimestamp: taggedTime(arrivalMs),
        Data: recordData(content.bytes, at),
        PartitionKey: recordPartitionKey(content.bytes, at),
      };
    }),
  );
}
