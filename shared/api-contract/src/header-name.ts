/** A header's name as it is usually written: `if-none-match` → `If-None-Match`. */
export function headerName(name: string): string {
  return name
    .split('-')
    .map((part) => (part === 'id' ? 'ID' : part.charAt(0).toUpperCase() + part.slice(1)))
    .join('-');
}
