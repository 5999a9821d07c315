import { gunzipSync } from 'node:zlib';
import { decodeCbor } from './decode-cbor.ts';
import { RECORD_LIMITS } from './limits.ts';
import { parseJsonText } from './parse-json.ts';
import { isPayloadArray, isRawNumber, type PayloadValue } from './payload-value.ts';

/**
 * Turns the bytes of a record into payloads. An application brings its own for formats that are not built in, such as Avro
 * with a schema registry: schemas must be at hand when it is called, since it is synchronous. It returns plain JSON values
 * (texts, finite numbers, booleans, null, arrays, objects) and throws any Error where the bytes are not of its format.
 */
export interface PayloadCodec {
  decode(bytes: Uint8Array): readonly PayloadValue[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const jsonCodec: PayloadCodec = {
  decode: (bytes) => [parseJsonText(utf8.decode(bytes)).value],
};

/** One payload a line; empty lines are left out. */
export const ndjsonCodec: PayloadCodec = {
  decode(bytes) {
    const payloads: PayloadValue[] = [];
    let numbersLeft: number = RECORD_LIMITS.exactNumbersMax;
    for (const line of utf8.decode(bytes).split('\n')) {
      if (line.trim() === '') continue;
      const { value, numbersRead } = parseJsonText(line, numbersLeft);
      numbersLeft -= numbersRead;
      payloads.push(value);
      if (payloads.length > RECORD_LIMITS.itemsMax) throw new RangeError('too many lines');
    }
    return payloads;
  },
};

export const cborCodec: PayloadCodec = {
  decode: (bytes) => [decodeCbor(bytes)],
};

/** Why the bytes of a record are not payloads: one sentence without a word of theirs. */
export interface Undecodable {
  readonly undecodable: string;
}

/** The payloads of a record, or why there are none. Never throws. */
export type Decode = (bytes: Uint8Array) => readonly PayloadValue[] | Undecodable;

/** A codec within the limits of a record, decompressing first where that is allowed and the bytes begin as gzip does. */
export function boundedDecoder(codec: PayloadCodec, format: string, gzip: boolean): Decode {
  return (bytes) => {
    const plain = gzip ? decompressed(bytes) : bytes;
    if (plain === undefined) {
      return { undecodable: `not gzip, or more than ${RECORD_LIMITS.payloadBytesMax} bytes decompressed` };
    }
    if (plain.length > RECORD_LIMITS.payloadBytesMax) {
      return { undecodable: `${plain.length} bytes; the limit is ${RECORD_LIMITS.payloadBytesMax}` };
    }
    let payloads: readonly PayloadValue[];
    try {
      payloads = codec.decode(plain);
    } catch {
      return { undecodable: `the bytes are not ${format}` };
    }
    return payloads.some((payload) => isTooDeep(payload, 0))
      ? { undecodable: `more than ${RECORD_LIMITS.depthMax} levels of arrays and objects` }
      : payloads;
  };
}

const GZIP_MAGIC = [0x1f, 0x8b] as const;

function decompressed(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== GZIP_MAGIC[0] || bytes[1] !== GZIP_MAGIC[1]) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: RECORD_LIMITS.payloadBytesMax });
  } catch {
    return undefined;
  }
}

/** Whether a payload is nested further than the limit. It looks no further than that. */
export function isTooDeep(value: PayloadValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false;
  if (depth >= RECORD_LIMITS.depthMax) return true;
  if (isPayloadArray(value)) return value.some((element) => isTooDeep(element, depth + 1));
  for (const name in value) if (isTooDeep(value[name] ?? null, depth + 1)) return true;
  return false;
}
