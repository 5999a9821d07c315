/** What the functions have done, as the one summary line of each batch says. */
export interface StageLog {
  /** Takes a line of their standard error. */
  take(line: string): void;
  /** Forgets the totals, so that they begin here. */
  restart(): void;
  readonly totals: Readonly<Record<Stage, StageTotals>>;
  /** Lines at level warning or above, by process and message. */
  readonly warnings: ReadonlyMap<string, number>;
  /** Lines that are not log lines. The first few; a process that dies says why in such. */
  readonly otherLines: readonly string[];
}

export type Stage = 'state-projector' | 'event-archiver';

export interface StageTotals {
  /** Events finished: stored or delivered. */
  readonly events: number;
  readonly pages: number;
  readonly writeUnits: number;
  /** When its last batch ended. */
  readonly lastAtMs: number | undefined;
  /** Finished events by second since 1970. */
  readonly eventsBySecond: ReadonlyMap<number, number>;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type MutableTotals = Omit<Mutable<StageTotals>, 'eventsBySecond'> & { eventsBySecond: Map<number, number> };

const WARNING_LEVEL = 40;
const OTHER_LINES_MAX = 20;
const WARNING_KINDS_MAX = 100;

export function stageLog(): StageLog {
  const totals: Record<Stage, MutableTotals> = { 'state-projector': nothing(), 'event-archiver': nothing() };
  const warnings = new Map<string, number>();
  const otherLines: string[] = [];
  return {
    totals,
    warnings,
    otherLines,
    restart() {
      Object.assign(totals, { 'state-projector': nothing(), 'event-archiver': nothing() });
    },
    take(line) {
      const entry = readLine(line);
      if (entry === undefined) {
        if (line.trim() !== '' && otherLines.length < OTHER_LINES_MAX) otherLines.push(line);
        return;
      }
      if (numberOf(entry.level) >= WARNING_LEVEL) {
        const kind = `${String(entry.name)}: ${String(entry.msg)}`;
        if (warnings.has(kind) || warnings.size < WARNING_KINDS_MAX) {
          warnings.set(kind, (warnings.get(kind) ?? 0) + 1);
        }
      }
      if (entry.name === 'state-projector' && entry.msg === 'batch') addProjected(totals[entry.name], entry);
      if (entry.name === 'event-archiver' && typeof entry.packs === 'number') {
        addArchived(totals[entry.name], entry);
      }
    },
  };
}

function nothing(): MutableTotals {
  return {
    events: 0,
    pages: 0,
    writeUnits: 0,
    lastAtMs: undefined,
    eventsBySecond: new Map(),
  };
}

type Entry = Readonly<Record<string, unknown>>;

function readLine(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function addProjected(totals: MutableTotals, entry: Entry): void {
  const stored = numberOf(entry.applied) + numberOf(entry.late);
  addBatch(totals, entry, stored);
  totals.pages += numberOf(entry.pages);
  totals.writeUnits += numberOf(entry.writeUnits);
}

function addArchived(totals: MutableTotals, entry: Entry): void {
  addBatch(totals, entry, numberOf(entry.events));
}

function addBatch(totals: MutableTotals, entry: Entry, events: number): void {
  const atMs = Date.parse(String(entry.time));
  totals.events += events;
  totals.lastAtMs = Math.max(totals.lastAtMs ?? 0, atMs);
  const second = Math.floor(atMs / 1_000);
  totals.eventsBySecond.set(second, (totals.eventsBySecond.get(second) ?? 0) + events);
}
