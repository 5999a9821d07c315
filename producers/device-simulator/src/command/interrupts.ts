import { EXIT_CODES } from '@twinstream/command-line';

/** What asks a run to end. */
export interface Interrupts {
  /** Aborted at the first signal: send nothing more. */
  readonly stop: AbortSignal;
  /** Aborted at the second: wait for nothing any more. */
  readonly abort: AbortSignal;
}

/**
 * npm passes a terminal's Ctrl-C on to a process that has had it from the terminal already (@npmcli/run-script,
 * signal-manager.js, read 2026-11): what comes so soon after the first signal is that one again.
 */
const ECHO_MS = 250;
/** After the second signal the summary has so long to be printed. */
const LAST_WORDS_MS = 1_000;

/** Listens to SIGINT and SIGTERM for the life of the process. */
export function listenToInterrupts(nowMs: () => number): Interrupts {
  const stop = new AbortController();
  const abort = new AbortController();
  let firstAtMs = Number.NaN;

  function onSignal(signal: NodeJS.Signals): void {
    if (!stop.signal.aborted) {
      firstAtMs = nowMs();
      stop.abort(new Error(`stopped by ${signal}`));
      return;
    }
    if (nowMs() - firstAtMs < ECHO_MS) return;
    if (abort.signal.aborted) process.exit(EXIT_CODES.interrupted);
    setTimeout(() => process.exit(EXIT_CODES.interrupted), LAST_WORDS_MS).unref();
    abort.abort(new Error(`stopped immediately by ${signal}`));
  }

  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { stop: stop.signal, abort: abort.signal };
}
