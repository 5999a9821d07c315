/** Signals that ask a process to finish: Ctrl-C and a supervisor's stop. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Under npm one Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const SAME_SIGNAL_MS = 500;

/** What signals come from: the process. */
export interface SignalSource {
  on(name: (typeof SIGNALS)[number], listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * A signal that aborts at the first SIGINT or SIGTERM, so that work can drain. A second one, half a second later or
 * more, ends the process immediately with 130 (128 + SIGINT), as shells expect.
 */
export function shutdownSignal(
  source: SignalSource = process,
  now: () => number = () => performance.now(),
): AbortSignal {
  const controller = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  for (const name of SIGNALS) {
    source.on(name, () => {
      const nowMs = now();
      if (controller.signal.aborted) {
        if (nowMs - firstMs >= SAME_SIGNAL_MS) source.exit(130);
        return;
      }
      firstMs = nowMs;
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
