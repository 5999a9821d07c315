/**
 * Bytes of padded Base64 in the standard alphabet (RFC 4648, section 4), in its one canonical form, as AWS takes it; undefined for
 * any other text. The
 * decoder skips what is not Base64, so a foreign character shows in the length; the URL alphabet, which it takes too, is
 * looked for. A pattern over the whole text takes several times as long.
 */
export function strictBase64(encoded: string): Buffer | undefined {
  if (encoded.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const padding = encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0;
  if (bytes.length !== (encoded.length / 4) * 3 - padding) return undefined;
  // Of the last character before the padding, some bits stand for nothing: AWS wants them to be zero (RFC 4648, section 3.5).
  if (padding > 0 && bytes.toString('base64', bytes.length - (3 - padding)) !== encoded.slice(-4))
    return undefined;
  return encoded.includes('-') || encoded.includes('_') ? undefined : bytes;
}
