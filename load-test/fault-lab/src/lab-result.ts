import { durationText, tableText, whole } from '@twinstream/command-line';
import type { LabCounts, LabExamples } from './lab-ledger.ts';
import type { Requirement } from './lab-options.ts';

/** Faults that struck, and what the consumer asked for. */
export interface LabFaults {
  readonly throttled: number;
  readonly failed: number;
  readonly answersLost: number;
  readonly delayed: number;
  readonly iteratorsExpired: number;
}

/** What a run found. Times in milliseconds. */
export interface LabResult extends LabCounts {
  readonly seed: number;
  readonly reshards: number;
  readonly kills: number;
  readonly faults: LabFaults;
  /** Requests for records: GetRecords, and subscriptions. */
  readonly reads: number;
  readonly examples: LabExamples;
  /** What was required and not kept. */
  readonly violated: readonly Requirement[];
  readonly passed: boolean;
}

/** Which of the requirements are not kept. */
export function violatedBy(
  { lost, reordered, repeated }: LabCounts,
  requirements: readonly Requirement[],
): readonly Requirement[] {
  const faults: Readonly<Record<Requirement, number>> = { 'no-loss': lost, order: reordered, once: repeated };
  return requirements.filter((requirement) => faults[requirement] > 0);
}

/** The result as a table for people. */
export function resultText(result: LabResult): string {
  const { stored, storedTwice, processed, lost, repeated, reordered, unknown, slowestMs, examples } = result;
  const { throttled, failed, answersLost, delayed, iteratorsExpired } = result.faults;
  const row = (name: string, count: number, meaning: string) => [name, whole(count), meaning];
  const such = (ids: readonly string[]) => (ids.length === 0 ? '' : `: ${ids.join(', ')}`);
  const rows = [
    row('stored', stored, `records in the stream, ${whole(storedTwice)} of them twice`),
    row('processed', processed, `the slowest ${durationText(slowestMs)} after its put`),
    row('lost', lost, `never printed${such(examples.lost)}`),
    row('repeated', repeated, `printed again${such(examples.repeated)}`),
    row('reordered', reordered, `first printed after a later record of its key${such(examples.reordered)}`),
    ...(unknown === 0 ? [] : [row('unknown', unknown, 'printed and never put')]),
    row(
      'faults',
      throttled + failed + answersLost + delayed + iteratorsExpired,
      `${throttled} throttles, ${failed} errors, ${answersLost} lost answers, ${delayed} slow reads, ${iteratorsExpired} expired iterators`,
    ),
    row('reshards', result.reshards, 'while records were put'),
    row('kills', result.kills, 'of the consumer, which was started again'),
  ];
  const verdict = result.passed ? 'kept what was required' : `VIOLATED: ${result.violated.join(', ')}`;
  const table = tableText(
    [{ title: 'what' }, { title: 'count', align: 'right' }, { title: 'meaning' }],
    rows,
  );
  return `${table}\n${verdict} (seed ${result.seed})\n`;
}
