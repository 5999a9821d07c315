import type { CounterRange, SessionReceipts } from '@twinstream/device-model';

/*
 * Counters received, as people write them: `3:1-1042,1044-1050`, sessions separated by blanks. Where ranges were
 * dropped, `;floor=…` and `;lowest=…` follow; `;highest=…` where it is not the end of the last range.
 */

const SESSION = /^(\d+):([\d,-]*)((?:;(?:lowest|highest|floor)=\d+)*)$/;
const RANGE = /^(\d+)(?:-(\d+))?$/;

export function counterRangesText(sessions: ReadonlyMap<number, SessionReceipts>): string {
  return [...sessions].map(([session, known]) => sessionText(session, known)).join(' ');
}

function sessionText(session: number, { lowest, highest, floor, ranges }: SessionReceipts): string {
  let text = `${session}:${ranges.map(rangeText).join(',')}`;
  if (lowest !== ranges[0]?.first) text += `;lowest=${lowest}`;
  if (highest !== ranges.at(-1)?.last) text += `;highest=${highest}`;
  return floor === undefined ? text : `${text};floor=${floor}`;
}

function rangeText({ first, last }: CounterRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Inverse of {@link counterRangesText}. Throws RangeError for any other text. */
export function readCounterRanges(text: string): Map<number, SessionReceipts> {
  return new Map(text === '' ? [] : text.split(' ').map(readSession));
}

function readSession(text: string): [number, SessionReceipts] {
  const [, session, rangesText = '', boundsText = ''] = match(SESSION, text);
  const ranges = rangesText === '' ? [] : rangesText.split(',').map(readRange);
  const bounds = new Map(
    boundsText.split(';').map((bound): [string, number] => {
      const [name = '', value] = bound.split('=');
      return [name, Number(value)];
    }),
  );
  const lowest = bounds.get('lowest') ?? ranges[0]?.first;
  const highest = bounds.get('highest') ?? ranges.at(-1)?.last;
  if (lowest === undefined || highest === undefined) throw new RangeError(`not a session: ${text}`);
  const floor = bounds.get('floor');
  return [Number(session), { lowest, highest, ranges, ...(floor === undefined ? {} : { floor }) }];
}

function readRange(text: string): CounterRange {
  const [, first, last = first] = match(RANGE, text);
  return { first: Number(first), last: Number(last) };
}

function match(pattern: RegExp, text: string): readonly (string | undefined)[] {
  const parts = pattern.exec(text);
  if (parts === null) throw new RangeError(`not ranges of counters: ${JSON.stringify(text)}`);
  return parts;
}
