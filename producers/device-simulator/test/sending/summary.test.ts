import { collectedOutput } from '@twinstream/command-line';
import { describe, expect, test } from 'vitest';
import { progressText, showProgress } from '../../src/sending/progress-line.ts';
import { type RunSummary, summaryText } from '../../src/sending/summary.ts';
import { createTally } from '../../src/sending/tally.ts';
import { planned } from './listed-source.ts';

const summary: RunSummary = {
  stream: 'device-events',
  scheduled: 45_386,
  sent: 45_386,
  acknowledged: 45_380,
  retried: 12,
  failed: 6,
  possiblyStored: 2,
  dropped: 0,
  failedByReason: { EVENT_EXPIRED: 6 },
  elapsedMs: 4_200,
  eventsPerSecond: 10_804.76,
  ackLatencyMs: { p50: 3.4, p95: 80, p99: 120.4, max: 300 },
  faults: { duplicates: 3, outOfOrder: 0, late: 0, drop: 0, malformed: 0, clockSkew: 0 },
  rejectedRows: { count: 2, first: [] },
  seed: 42,
  startTime: '2026-01-01T00:00:00.000Z',
  session: 1_767_225_600,
  interrupted: false,
  memoryBytesMax: 1,
};

describe('the summary', () => {
  test('for people tells counts, reasons and how to have the same run again', () => {
    const text = summaryText(summary);
    expect(text).toContain('acknowledged  45,380      99.9 %');
    expect(text).toContain('failed        6           6 EVENT_EXPIRED, 2 possibly stored');
    expect(text).toContain('p50 3.4 ms  p95 80 ms  p99 120 ms  max 300 ms');
    expect(text).toContain('faults        3 duplicates');
    expect(text).toContain('rows rejected 2');
    expect(text).toContain('--seed 42 --start-time 2026-01-01T00:00:00.000Z --session 1767225600');
    expect(text).not.toContain('interrupted');
  });

  test('calls all of it 100 %, and nothing less', () => {
    const all = { ...summary, acknowledged: 45_386 };
    expect(summaryText(all)).toContain('100.0 %');
    expect(summaryText({ ...all, acknowledged: 45_385 })).toContain('99.9 %');
  });

  test('says when a run ended before its end', () => {
    expect(summaryText({ ...summary, interrupted: true })).toContain('interrupted');
  });
});

describe('the progress line', () => {
  const recording = (isTTY: boolean) => {
    const written: string[] = [];
    const onWrite = (text: string) => void written.push(text);
    return { written, stream: collectedOutput(isTTY ? { columns: 60, onWrite } : { onWrite }) };
  };

  test('does not exist in a pipe, where notes are plain lines', () => {
    const { written, stream } = recording(false);
    const progress = showProgress(stream, createTally(), () => 0);
    progress.note('line 3: bad');
    progress.close();
    expect(written).toEqual(['line 3: bad\n']);
  });

  test('on a terminal is redrawn in place, never wraps, and leaves nothing behind', async () => {
    const { written, stream } = recording(true);
    let nowMs = 0;
    const tally = createTally();
    tally.accepted(planned('a', 1));
    const progress = showProgress(stream, tally, () => (nowMs += 500));
    await expect.poll(() => written.length, { timeout: 5_000 }).toBeGreaterThan(1);
    progress.note('line 3: bad');
    progress.close();
    expect(written[0]?.startsWith('\r\u001b[K')).toBe(true);
    expect(written.every((text) => text.replace('\r\u001b[K', '').length < 60)).toBe(true);
    expect(written.at(-2)).toBe('\r\u001b[Kline 3: bad\n');
    expect(written.at(-1)).toBe('\r\u001b[K');
  });

  test('shows what is in flight, and failures only when there are some', () => {
    const tally = createTally();
    tally.accepted(planned('a', 1));
    expect(progressText(tally, 1.25, 1_234)).toBe(
      '1.3 s  1,234/s  0 acknowledged  1 in flight  0 retries  p99 0.0 ms',
    );
    tally.dropped(planned('a', 2));
    expect(progressText(tally, 1, 0)).toContain('1 dropped');
  });
});
