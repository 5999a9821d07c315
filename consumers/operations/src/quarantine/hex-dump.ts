const BYTES_PER_LINE = 16;
const PRINTABLE_MIN = 0x20;
const PRINTABLE_MAX = 0x7e;

/** Bytes as offset, hexadecimal and text, sixteen a line; at most `bytesMax` of them. */
export function hexDump(bytes: Uint8Array, bytesMax: number): string {
  const lines: string[] = [];
  for (let offset = 0; offset < Math.min(bytes.length, bytesMax); offset += BYTES_PER_LINE) {
    const line = bytes.subarray(offset, Math.min(offset + BYTES_PER_LINE, bytesMax));
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = [...line]
      .map((byte) => (byte >= PRINTABLE_MIN && byte <= PRINTABLE_MAX ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  ${text}`);
  }
  if (bytes.length > bytesMax) lines.push(`… ${bytes.length - bytesMax} bytes more`);
  return lines.join('\n');
}
