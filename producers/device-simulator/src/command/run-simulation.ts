import { type Clock, CodedError } from '@twinstream/runtime';
import type { StreamProducer } from '@twinstream/stream-producer';
import { newTraceContext, type SpanExporter } from '@twinstream/telemetry';
import { withFaults } from '../faults/sending-faults.ts';
import { createFleet } from '../fleet/fleet.ts';
import { readRecording } from '../recording/open-recording.ts';
import { recordingSource } from '../recording/recording-source.ts';
import type { BadRow } from '../recording/row.ts';
import { fleetSource } from '../schedule/fleet-source.ts';
import { limitedSource } from '../schedule/limited-source.ts';
import { primedSource } from '../schedule/primed-source.ts';
import type { Ledger } from '../sending/ledger.ts';
import type { EventSource } from '../sending/planned-event.ts';
import { sendEvents } from '../sending/send-events.ts';
import type { SimulatedRecord } from '../sending/simulated-record.ts';
import { REJECTED_ROWS_LISTED_MAX, type RunSummary } from '../sending/summary.ts';
import { createTally, type Tally } from '../sending/tally.ts';
import { withTraces } from '../sending/traced-source.ts';
import type { RunPlan } from './run-plan.ts';

/** What a run needs from outside. */
export interface RunPorts {
  readonly clock: Clock;
  /** Opens the stream, once the input is known to be readable. */
  readonly openProducer: () => Promise<Pick<StreamProducer<SimulatedRecord>, 'put' | 'close'>>;
  /** Opens the ledger, once the stream is open. */
  readonly openLedger: () => Promise<Ledger | undefined>;
  /** Takes the spans of traced events. Default: nobody does. */
  readonly spans?: SpanExporter | undefined;
  /** Aborted when nothing more shall be sent; what is on its way is waited for. */
  readonly stop: AbortSignal;
  /** Aborted when nothing shall be waited for any more. */
  readonly abort: AbortSignal;
  /** Called when sending begins. */
  readonly onStart: (tally: Tally) => void;
  readonly onBadRow: (row: BadRow) => void;
}

export interface RunResult {
  readonly summary: RunSummary;
  /** What ended the run before its end, other than a signal. */
  readonly failure: unknown;
}

/**
 * Runs a plan to its end, and reports the outcome of every event, also when it fails on the way. Rejects only when nothing
 * was sent: with what is wrong with the input, the stream or the ledger.
 */
export async function runSimulation(plan: RunPlan, ports: RunPorts): Promise<RunResult> {
  const { clock, spans, stop, abort } = ports;
  const badRows: BadRow[] = [];
  let badRowCount = 0;
  let startMs: number | undefined;
  const source = await primedSource(
    sourceOf(plan, {
      elapsedMs: () => (startMs === undefined ? 0 : clock.now() - startMs),
      onBadRow: (row) => {
        badRowCount += 1;
        if (badRows.length < REJECTED_ROWS_LISTED_MAX) badRows.push(row);
        ports.onBadRow(row);
      },
    }),
    () => {
      if (badRowCount === 0) return;
      throw new CodedError('INPUT_ALL_REJECTED', `no event was sent: all ${badRowCount} rows were rejected`);
    },
  );
  const tally = createTally();
  const { producer, ledger } = await open(ports, source);

  const closeProducer = () => producer.close(abort);
  stop.addEventListener('abort', closeProducer, { once: true });
  startMs = clock.now();
  ports.onStart(tally);
  const { delayMsMax } = plan;
  let failure = await failureOf(() =>
    sendEvents({ source, producer, tally, ledger, spans, clock, startMs: startMs ?? 0, delayMsMax, stop }),
  );
  await closeProducer();
  stop.removeEventListener('abort', closeProducer);
  await spans?.flush();
  failure ??= await failureOf(() => source.close());
  failure ??= await failureOf(async () => ledger?.close());

  const summary = summaryOf(plan, tally, {
    elapsedMs: (tally.lastOutcomeAtMs() ?? clock.now()) - startMs,
    rejectedRows: { count: badRowCount, first: badRows },
    interrupted: stop.aborted || failure !== undefined,
  });
  return { summary, failure };
}

/** Opens the stream, then the ledger; leaves nothing open when one of them fails. */
async function open(ports: RunPorts, source: EventSource) {
  try {
    const producer = await ports.openProducer();
    try {
      return { producer, ledger: await ports.openLedger() };
    } catch (error) {
      await producer.close();
      throw error;
    }
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function failureOf(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

interface SourceContext {
  readonly elapsedMs: () => number;
  readonly onBadRow: (row: BadRow) => void;
}

/** The plan's events: generated or read, limited, then damaged. */
function sourceOf(plan: RunPlan, { elapsedMs, onBadRow }: SourceContext): EventSource {
  const { source, session, seed, count, durationMs, faults, traceShare } = plan;
  const events =
    source.kind === 'fleet'
      ? fleetSource(createFleet(source.fleet), source.load, source.isPaced)
      : recordingSource(readRecording(source.recording), {
          order: source.order,
          pace: source.pace,
          session,
          onBadRow,
        });
  const limited = limitedSource(events, { count, durationMs, elapsedMs });
  // Before faults: the copies of an event are the same, and have one trace.
  const traced =
    traceShare > 0
      ? withTraces(limited, traceShare, { random: Math.random, newContext: newTraceContext })
      : limited;
  return Object.values(faults).some((share) => share > 0) ? withFaults(traced, faults, seed) : traced;
}

function summaryOf(
  plan: RunPlan,
  tally: Tally,
  rest: Pick<RunSummary, 'elapsedMs' | 'rejectedRows' | 'interrupted'>,
): RunSummary {
  const counts = tally.counts();
  const { source, seed, session, stream } = plan;
  const startTime =
    source.kind === 'fleet' ? { startTime: new Date(source.fleet.startTimeMs).toISOString() } : {};
  return {
    stream,
    ...counts,
    failedByReason: tally.failedByReason(),
    elapsedMs: Math.round(rest.elapsedMs),
    eventsPerSecond: rest.elapsedMs > 0 ? Math.round((counts.acknowledged / rest.elapsedMs) * 1e6) / 1e3 : 0,
    ackLatencyMs: tally.latency(),
    faults: tally.faults(),
    rejectedRows: rest.rejectedRows,
    seed,
    ...startTime,
    session,
    interrupted: rest.interrupted,
    // libuv returns kilobytes.
    memoryBytesMax: process.resourceUsage().maxRSS * 1_024,
  };
}
