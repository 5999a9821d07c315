/** A member of an object in a JSON text, by offsets. */
export interface JsonMember {
  readonly name: string;
  /** Of the opening quote of its name. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/*
 * These functions read JSON that JSON.parse has taken, and keep its words: numbers that a double does not hold, escapes, 1.0
 * for 1. What they do with another text is undefined.
 */

/** Members of the object that the text is, in its order; a name may come twice, and the last one counts. */
export function jsonMembers(text: string): readonly JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipBlanks(text, skipBlanks(text, 0) + 1);
  while (text[at] === '"') {
    const start = at;
    const nameEnd = endOfString(text, at);
    const name: string = JSON.parse(text.slice(start, nameEnd));
    const valueStart = skipBlanks(text, skipBlanks(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.push({ name, start, valueStart, valueEnd });
    at = skipBlanks(text, valueEnd);
    if (text[at] !== ',') break;
    at = skipBlanks(text, at + 1);
  }
  return members;
}

/** Elements of the array that the text is, in their own words. */
export function jsonElements(text: string): readonly string[] {
  const elements: string[] = [];
  let at = skipBlanks(text, skipBlanks(text, 0) + 1);
  while (at < text.length && text[at] !== ']') {
    const end = endOfValue(text, at);
    elements.push(text.slice(at, end));
    at = skipBlanks(text, end);
    if (text[at] !== ',') break;
    at = skipBlanks(text, at + 1);
  }
  return elements;
}

/** The value at a path of names, in its own words; undefined where there is none. */
export function jsonAt(text: string, path: readonly string[]): string | undefined {
  let value = text;
  for (const name of path) {
    if (!isObjectText(value)) return undefined;
    const member = jsonMembers(value).findLast((candidate) => candidate.name === name);
    if (member === undefined) return undefined;
    value = value.slice(member.valueStart, member.valueEnd);
  }
  return value;
}

/**
 * The object with the value at a path set, or removed where it is undefined; every other member keeps its words. Objects
 * on the way are made where they are missing.
 */
export function withJsonAt(text: string, path: readonly string[], value: string | undefined): string {
  const [name, ...rest] = path;
  if (name === undefined) return text;
  const members = jsonMembers(text);
  const wordsOf = ({ start, valueEnd }: JsonMember): string => text.slice(start, valueEnd);
  if (rest.length === 0) {
    const others = members.filter((member) => member.name !== name).map(wordsOf);
    return objectText(value === undefined ? others : [...others, `${JSON.stringify(name)}:${value}`]);
  }
  const member = members.findLast((candidate) => candidate.name === name);
  const inner = member === undefined ? '' : text.slice(member.valueStart, member.valueEnd);
  if (value === undefined && !isObjectText(inner)) return text;
  const changed = withJsonAt(isObjectText(inner) ? inner : '{}', rest, value);
  if (member === undefined)
    return objectText([...members.map(wordsOf), `${JSON.stringify(name)}:${changed}`]);
  return text.slice(0, member.valueStart) + changed + text.slice(member.valueEnd);
}

export function objectText(members: readonly string[]): string {
  return `{${members.join(',')}}`;
}

export function isObjectText(text: string): boolean {
  return text.trimStart().startsWith('{');
}

export function isArrayText(text: string): boolean {
  return text.trimStart().startsWith('[');
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}

/** Behind the closing quote of the string that begins here. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Behind the value that begins here. Levels are counted, not called, so that no depth is too much. */
function endOfValue(text: string, from: number): number {
  let at = from;
  let levels = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') {
      levels += 1;
      at += 1;
    } else if (character === '}' || character === ']') {
      levels -= 1;
      at += 1;
    } else if (levels === 0) return endOfWord(text, at);
    else at += 1;
    if (levels === 0) return at;
  }
  return at;
}

/** Behind the number, true, false or null that begins here. */
function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !',]} \n\r\t'.includes(text[at] ?? '')) at += 1;
  return at;
}
