import { isAscii } from 'node:buffer';
import { strictBase64 } from '../http/strict-base64.ts';
import { serializationFailed } from './api-error.ts';
import { recordArrivalMs, recordCounter, recordDataBase64, recordPartitionKey } from './record-frame.ts';
import { recordOffset } from './segment.ts';
import { sequenceNumberText } from './sequence-numbering.ts';
import type { RecordsAnswer, WireFormat } from './wire-format.ts';

/** AWS JSON 1.1: blobs in Base64, timestamps in seconds with their fraction. */
export const jsonFormat: WireFormat = {
  contentType: 'application/x-amz-json-1.1',
  headers: {},
  parse: (body) => {
    try {
      return JSON.parse(body.toString(isAscii(body) ? 'latin1' : 'utf8'));
    } catch (error) {
      throw serializationFailed(`the body is not JSON: ${error instanceof Error ? error.message : error}`);
    }
  },
  blob: (value) => {
    if (typeof value !== 'string')
      throw serializationFailed(`${typeName(value)} can not be converted to a Blob`);
    return decodeBase64(value);
  },
  timestampMs: (value) => {
    if (typeof value !== 'number') {
      throw serializationFailed(`${typeName(value)} can not be converted to milliseconds since epoch`);
    }
    return Math.round(value * 1000);
  },
  write: (members) => Buffer.from(JSON.stringify(members)),
  writeRecords,
  errorType: (code) => code,
};

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a structure' : `a ${typeof value}`;
}

/** Decodes padded Base64 of the standard alphabet and refuses anything else, as AWS does. */
function decodeBase64(encoded: string): Buffer {
  if (encoded.length % 4 !== 0) {
    throw notABlob(
      encoded,
      `Base64 encoded length is expected a multiple of 4 bytes but found: ${encoded.length}`,
    );
  }
  const bytes = strictBase64(encoded);
  if (bytes === undefined) throw notABlob(encoded, 'Invalid Base64 character');
  return bytes;
}

const SHOWN_CHARACTERS_MAX = 64;

function notABlob(encoded: string, reason: string) {
  return serializationFailed(
    `'${encoded.slice(0, SHOWN_CHARACTERS_MAX)}' can not be converted to a Blob: ${reason}`,
  );
}

/** Writes records by hand, because this is what the server does most: once over each record, no object for any. */
function writeRecords({ runs, numbering, rest }: RecordsAnswer): Buffer {
  let text = '{"Records":[';
  let separator = '';
  for (const { content, from, to } of runs) {
    const { bytes } = content;
    for (let index = from; index < to; index += 1) {
      const at = recordOffset(content, index);
      const arrivalMs = recordArrivalMs(bytes, at);
      text += `${separator}{"SequenceNumber":"${sequenceNumberText(numbering, recordCounter(bytes, at), arrivalMs)}","ApproximateArrivalTimestamp":${arrivalMs / 1000},"Data":"${recordDataBase64(bytes, at)}","PartitionKey":${JSON.stringify(recordPartitionKey(bytes, at))}}`;
      separator = ',';
    }
  }
  return Buffer.from(`${text}],${JSON.stringify(rest).slice(1)}`);
}
