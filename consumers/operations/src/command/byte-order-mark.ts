/** The text of a file without the mark that some editors begin UTF-8 with: it belongs to no line. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
