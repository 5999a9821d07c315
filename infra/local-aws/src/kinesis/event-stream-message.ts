import { crc32 } from 'node:zlib';

/** Total and header lengths with their checksum, before the headers. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const LENGTHS_BYTES = 8;
/** The type of a header whose value is a string. */
const STRING_TYPE = 7;

/** Content type of a body that consists of such messages. */
export const EVENT_STREAM_CONTENT_TYPE = 'application/vnd.amazon.eventstream';

/**
 * One message of `application/vnd.amazon.eventstream`: total length and length of the headers (big-endian 32-bit each), their CRC-32,
 * headers, payload, and the CRC-32 of all before. A header is its name with an 8-bit length, the type 7, and a string with a
 * 16-bit length (Smithy, "Amazon Event Stream specification", and Amazon Lex V2 developer guide, "Event stream encoding", read 2026-12).
 */
export function eventStreamMessage(headers: Readonly<Record<string, string>>, payload: Uint8Array): Buffer {
  const encoded = Buffer.concat(Object.entries(headers).map(([name, value]) => stringHeader(name, value)));
  const totalBytes = PRELUDE_BYTES + encoded.length + payload.length + CHECKSUM_BYTES;
  const message = Buffer.alloc(totalBytes);
  message.writeUInt32BE(totalBytes, 0);
  message.writeUInt32BE(encoded.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, LENGTHS_BYTES)), LENGTHS_BYTES);
  message.set(encoded, PRELUDE_BYTES);
  message.set(payload, PRELUDE_BYTES + encoded.length);
  const checksumAt = totalBytes - CHECKSUM_BYTES;
  message.writeUInt32BE(crc32(message.subarray(0, checksumAt)), checksumAt);
  return message;
}

function stringHeader(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const valueLength = Buffer.alloc(2);
  valueLength.writeUInt16BE(valueBytes.length);
  return Buffer.concat([
    Buffer.of(nameBytes.length),
    nameBytes,
    Buffer.of(STRING_TYPE),
    valueLength,
    valueBytes,
  ]);
}
