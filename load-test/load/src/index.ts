export type { Percentiles } from './latency-distribution.ts';
export { surveyLedger } from './ledger-survey.ts';
export { preciseNow, progressObserver, repeatedly } from './observers.ts';
