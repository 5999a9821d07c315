/** A text that is equal exactly when two values are: maps and members in the order of their names, absent members left out. */
export function canonicalText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value, (_, member: unknown) => {
    if (member instanceof Map) return [...member].sort(byName);
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(byName));
  });
  return text ?? 'absent';
}

function byName([a]: readonly [unknown, unknown], [b]: readonly [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}
