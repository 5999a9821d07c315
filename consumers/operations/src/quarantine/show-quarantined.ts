import {
  counted,
  cutText,
  EXIT_CODES,
  type ExitCode,
  isoText,
  type OutputFormat,
  refusal,
} from '@twinstream/command-line';
import type { FoundRecord } from '@twinstream/projection';
import { type CommandContext, write, writeTable } from '../command/command-context.ts';

/** Bytes of an entry that a terminal shows. */
const SHOWN_BYTES_MAX = 4_096;
const BYTES_PER_LINE = 16;
const PRINTABLE_MIN = 0x20;
const PRINTABLE_MAX = 0x7e;

/** Lists records: a table of their entries, or a line of JSON for each entry. */
export async function listQuarantined(
  context: CommandContext,
  records: AsyncIterable<FoundRecord>,
  output: OutputFormat,
): Promise<ExitCode> {
  const rows: string[][] = [];
  let count = 0;
  for await (const { key, record } of records) {
    count += 1;
    await context.host.stdout.ready();
    const { shardId, sequenceNumber, arrivalTime } = record;
    for (const { reason, detail, subSequenceNumber, partitionKey, data } of record.entries) {
      if (output !== 'table') {
        const place = { shardId, sequenceNumber, subSequenceNumber, arrivalTime: isoText(arrivalTime) };
        write(
          context,
          JSON.stringify({
            ...place,
            partitionKey,
            reason,
            detail,
            bytes: data.length,
            base64: Buffer.from(data).toString('base64'),
            key,
          }),
        );
      } else {
        const name = `${shardId}:${sequenceNumber}`;
        rows.push([
          isoText(arrivalTime),
          reason,
          partitionKey,
          String(data.length),
          String(subSequenceNumber),
          name,
        ]);
      }
    }
  }
  if (output === 'table') {
    writeTable(
      context,
      [
        { title: 'arrival' },
        { title: 'reason' },
        { title: 'key' },
        { title: 'bytes', align: 'right' },
        { title: 'index', align: 'right' },
        { title: 'record' },
      ],
      rows,
    );
    write(context, `${counted(count, 'record')}, ${counted(rows.length, 'entry', 'entries')}`);
  }
  return EXIT_CODES.success;
}

/** Shows the record that has this name. Throws `NOT_IN_QUARANTINE` where there is none. */
export async function showQuarantined(
  context: CommandContext,
  records: AsyncIterable<FoundRecord>,
  name: string,
): Promise<ExitCode> {
  for await (const { key, record } of records) {
    const { shardId, sequenceNumber, arrivalTime, partitionKey, data } = record;
    write(
      context,
      `record   ${shardId}:${sequenceNumber}\narrived  ${isoText(arrivalTime)}\nkey      ${partitionKey}`,
    );
    write(context, `bytes    ${data.length}\nobject   ${key}`);
    for (const entry of record.entries) {
      write(context, `\nentry ${entry.subSequenceNumber}: ${entry.reason}: ${entry.detail}\n`);
      // On a terminal a look; in a file or a pipe everything.
      const shownMax = context.host.stdout.isTTY ? SHOWN_BYTES_MAX : Number.POSITIVE_INFINITY;
      write(context, `${cutText(Buffer.from(entry.data).toString('utf8'), shownMax)}\n`);
      write(context, hexDump(entry.data, shownMax));
    }
    return EXIT_CODES.success;
  }
  throw refusal('NOT_IN_QUARANTINE', `there is no ${name} in quarantine: see quarantine list`);
}

/** Bytes as offset, hexadecimal and text, sixteen a line; at most `bytesMax` of them. */
function hexDump(bytes: Uint8Array, bytesMax: number): string {
  const lines: string[] = [];
  for (let offset = 0; offset < Math.min(bytes.length, bytesMax); offset += BYTES_PER_LINE) {
    const line = bytes.subarray(offset, Math.min(offset + BYTES_PER_LINE, bytesMax));
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...line]
      .map((byte) => (byte >= PRINTABLE_MIN && byte <= PRINTABLE_MAX ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  ${text}`);
  }
  if (bytes.length > bytesMax) lines.push(`… ${counted(bytes.length - bytesMax, 'byte')} more`);
  return lines.join('\n');
}
