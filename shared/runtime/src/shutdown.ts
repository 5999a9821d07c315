/** Signals that ask a process to finish: Ctrl-C and a supervisor's stop. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Under npm one Ctrl-C comes twice: from the terminal, and from npm, which passes it on. */
const SAME_SIGNAL_MS = 500;

/**
 * A signal that aborts at the first SIGINT or SIGTERM, so that work can drain. A second one, half a second later or
 * more, ends the process immediately with 130 (128 + SIGINT), as shells expect.
 */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  let firstMs = Number.POSITIVE_INFINITY;
  for (const name of SIGNALS) {
    process.on(name, () => {
      const nowMs = performance.now();
      if (controller.signal.aborted) {
        if (nowMs - firstMs >= SAME_SIGNAL_MS) process.exit(130);
        return;
      }
      firstMs = nowMs;
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
