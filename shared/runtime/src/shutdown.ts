/** Signals that ask a process to finish: Ctrl-C and a supervisor's stop. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * A signal that aborts at the first SIGINT or SIGTERM, so that work can drain. A second one ends the process at
 * once with 130 (128 + SIGINT), as shells expect.
 */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
