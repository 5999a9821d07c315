/** Every figure of a run, with its unit and meaning. The names are those that `--expect` takes. */
export const FIGURES = {
  offeredPerSecond: { unit: 'events/s', meaning: 'events that were due, over the duration of the load' },
  acknowledgedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the stream took, over the time from start to last answer',
  },
  projectedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the projector stored, from the start to its last batch',
  },
  archivedPerSecond: {
    unit: 'events/s',
    meaning: 'events that the archiver delivered, from the start to its last batch',
  },
  p50Ms: { unit: 'ms', meaning: 'from intended send to readable state: half of the events were faster' },
  p95Ms: { unit: 'ms', meaning: 'from intended send to readable state: 95 % were faster' },
  p99Ms: { unit: 'ms', meaning: 'from intended send to readable state: 99 % were faster' },
  maxMs: {
    unit: 'ms',
    meaning: 'from intended send to readable state: the slowest event of the sampled devices',
  },
  finishedP99Ms: {
    unit: 'ms',
    meaning: 'from intended send until shard progress has passed the event, over all events: 99 %',
  },
  finishedMaxMs: {
    unit: 'ms',
    meaning: 'from intended send until shard progress has passed the event: the slowest of all',
  },
  ackP99Ms: { unit: 'ms', meaning: 'from intended send to the answer of the stream, over all events: 99 %' },
  lagMaxMs: {
    unit: 'ms',
    meaning: 'largest lag of a shard: age of what was finished last, while more was waiting',
  },
  drainMs: { unit: 'ms', meaning: 'from the end of the load until all of it was finished' },
  eventsPerPage: { unit: 'events', meaning: 'events stored per page' },
  writeUnitsPerEvent: {
    unit: 'write units',
    meaning: 'write units of DynamoDB per event stored, pages and states together',
  },
  cpuSeconds: { unit: 's', meaning: 'processor time of all processes from start of load to drained' },
  cpuMicrosPerEvent: { unit: 'µs', meaning: 'processor time of all processes per event' },
  memoryMaxMiB: { unit: 'MiB', meaning: 'largest resident memory of all processes together' },
  dropped: { unit: 'events', meaning: 'events that the simulator could not send in time' },
  failed: { unit: 'events', meaning: 'events that the stream did not take' },
  duplicates: { unit: 'events', meaning: 'events that reached the stream twice and were stored once' },
  quarantined: { unit: 'events', meaning: 'damaged events, all of them in quarantine' },
  highestRate: {
    unit: 'events/s',
    meaning:
      'highest rate that holds, found by --find-rate: nothing dropped, lost or failed, p99Ms at most 3,000 or as --expect says, drained within 5 s',
  },
  violations: { unit: '', meaning: 'promises that the ledger found broken' },
} as const satisfies Record<string, { readonly unit: string; readonly meaning: string }>;

export type FigureName = keyof typeof FIGURES;
export const FIGURE_NAMES = Object.keys(FIGURES) as readonly FigureName[];

/** Null where a figure could not be measured; the notes of the run say why. */
export type Figures = Readonly<Record<FigureName, number | null>>;
