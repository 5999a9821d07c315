const BYTES_PER_LINE = 16;
const PRINTABLE_MIN = 0x20;
const PRINTABLE_MAX = 0x7e;

export function bytesOfBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The bytes as text; undefined where they are not UTF-8. */
export function textOfBytes(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Bytes as offset, hexadecimal and text, sixteen a line, of the first `bytesMax` bytes. */
export function hexDump(bytes: Uint8Array, bytesMax: number): string {
  const lines: string[] = [];
  for (let offset = 0; offset < Math.min(bytes.length, bytesMax); offset += BYTES_PER_LINE) {
    const line = [...bytes.subarray(offset, Math.min(offset + BYTES_PER_LINE, bytesMax))];
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = line
      .map((byte) => (byte >= PRINTABLE_MIN && byte <= PRINTABLE_MAX ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${offset.toString(16).padStart(8, '0')}  ${hex.padEnd(BYTES_PER_LINE * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
}
