/**
 * A value's text, the same for the same value however it came about, and another for another: the order in which maps and
 * objects were filled counts. For records, maps, sets and what they are made of.
 */
export function exactText(value: unknown): string {
  return JSON.stringify(value, exactMember) ?? 'undefined';
}

function exactMember(_name: string, member: unknown): unknown {
  if (typeof member === 'string') return `=${member}`;
  if (member === undefined || typeof member === 'bigint') return `${typeof member} ${member}`;
  if (typeof member === 'number') return Number.isFinite(member) ? member : `number ${member}`;
  if (member instanceof Map) return { map: [...member] };
  if (member instanceof Set) return { set: [...member] };
  return member;
}
