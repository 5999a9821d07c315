export type { Percentiles } from './latency-distribution.ts';
export { surveyLedger } from './ledger-survey.ts';
export { preciseNow } from './precise-now.ts';
export { progressObserver } from './progress-observer.ts';
export { repeatedly } from './repeatedly.ts';
