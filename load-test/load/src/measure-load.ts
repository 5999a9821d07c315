import { join } from 'node:path';
import { surveyLedger } from './ledger-survey.ts';
import { figuresOf, notesOf } from './load-figures.ts';
import type { SubjectResult } from './load-result.ts';
import { loadSeries, processFigures } from './load-series.ts';
import { type LoadWatch, watchLoad } from './load-watch.ts';
import { preciseNow } from './observers.ts';
import type { Measurement } from './offer-load.ts';
import { drain, loadFlags, type OfferedLoad, offerLoad, warmUp } from './offer-load.ts';
import { type SampledDevices, sampleDevices, skewOf } from './sampled-devices.ts';

/** Devices whose state is read, besides hot ones. */
const SAMPLED_DEVICES = 20;

/** Offers the load, lets it drain, checks the ledger and measures. Rejects when any of it cannot be done. */
export async function measureLoad(measurement: Measurement): Promise<SubjectResult> {
  const { deployment, options, folder, say } = measurement;
  const { name, devicePrefix, site, log } = deployment;
  const { deviceCount, seed } = options;
  const skew = skewOf(loadFlags(measurement));
  const sampled = sampleDevices({ deviceCount, devicePrefix, seed, skew }, SAMPLED_DEVICES);
  const ledgerFile = join(folder, `${name}.ndjson`);
  const watch = watchLoad(deployment, sampled);
  try {
    const warm = await warmUp(measurement, watch.progress);
    log?.restart();
    watch.watchProcesses();
    say(`${name}: offering ${options.rate} events/s for ${options.durationMs / 1_000} s …`);
    const offered = await offerLoad(measurement, ledgerFile);
    await site.resume();
    say(`${name}: ${offered.simulator.acknowledged} events taken; draining …`);
    const { acknowledged } = offered.simulator;
    const drainedAtMs = await drain(measurement, ledgerFile, acknowledged, watch.progress);
    await watch.finish();
    // Before the archive is waited for. What cannot be put back yet is tried again, and told, when the deployment is left.
    await site.restore().catch(() => undefined);
    return await judged(measurement, { ledgerFile, warm, offered, drainedAtMs, sampled, watch });
  } finally {
    await watch.close();
  }
}

/** A load that was offered and drained. */
interface DrainedLoad {
  readonly ledgerFile: string;
  readonly warm: Awaited<ReturnType<typeof warmUp>>;
  readonly offered: OfferedLoad;
  readonly drainedAtMs: number | undefined;
  readonly sampled: SampledDevices;
  readonly watch: LoadWatch;
}

/** Checks the ledger and puts together what was seen. */
async function judged(measurement: Measurement, drained: DrainedLoad): Promise<SubjectResult> {
  const { deployment, options, folder, signal, say } = measurement;
  const { ledgerFile, warm, offered, drainedAtMs, sampled, watch } = drained;
  say(`${deployment.name}: checking the ledger …`);
  const survey = await surveyLedger(ledgerFile, {
    sampled,
    states: watch.states.observations,
    ...(deployment.hasProgress ? { progress: watch.progress.rises } : {}),
  });
  const ledger = await deployment.check({
    ledgerFiles: [ledgerFile, ...warm.ledgerFiles],
    folder,
    acknowledged: survey.events + survey.malformed + warm.acknowledged,
    // An event whose outcome is unknown may come to light after later ones.
    isOrdered: survey.failed === 0,
    archiveDeadlineAtMs: Date.now() + options.archiveDeadlineMs,
    signal,
    onPart: (part, partCount) =>
      say(`${deployment.name}: checking the ledger, part ${part} of ${partCount} …`),
  });
  const { simulator, endMs: loadEndMs, marks } = offered;
  const { lags } = watch.progress;
  const processes = watch.processes.samples;
  const startMs = survey.firstDueMs;
  const endMs = drainedAtMs ?? preciseNow();
  const seen = { options, simulator, survey, ledger, startMs, loadEndMs, drainedAtMs, lags, processes };
  return {
    subject: deployment.name,
    figures: figuresOf({ ...seen, deployment }),
    ledger,
    simulator,
    processes: processFigures(processes, loadEndMs),
    series: loadSeries({ startMs, endMs, survey, log: deployment.log, lags, processes, marks }),
    notes: notesOf(deployment, survey, drainedAtMs, watch.failures()),
  };
}
