export { type RunPlan, SEEDED_START_TIME_MS, type SourcePlan } from './command/run-plan.ts';
export { type RunPorts, type RunResult, runSimulation } from './command/run-simulation.ts';
export { type FaultShares, NO_FAULTS, withFaults } from './faults/sending-faults.ts';
export { createFleet, type Fleet, type FleetEvent, type FleetSettings } from './fleet/fleet.ts';
export { DEFAULT_KIND_MIX, KIND_NAMES, type KindMix } from './fleet/kind-mix.ts';
export type { Skew } from './fleet/turn-order.ts';
export { readRecording } from './recording/open-recording.ts';
export { recordingSource } from './recording/recording-source.ts';
export { fleetSource } from './schedule/fleet-source.ts';
export type { Burst, LoadProfile } from './schedule/load-profile.ts';
export type { LatencySummary } from './sending/latency-histogram.ts';
export { LEDGER_LINE_BYTES_MAX, type Ledger, openLedger, readLedger } from './sending/ledger.ts';
export type { LedgerEntry } from './sending/ledger-entry.ts';
export {
  type EventSource,
  type PlannedEvent,
  SENDING_FAULTS,
  type SendingFault,
} from './sending/planned-event.ts';
export type { RunSummary } from './sending/summary.ts';
