/** Outcome of an invocation. */
export type InvokeOutcome =
  /** The function returned; `payload` is its JSON. */
  | { readonly kind: 'answered'; readonly requestId: string; readonly payload: string }
  /** The function was invoked and failed: it threw, timed out, or its process died meanwhile. */
  | {
      readonly kind: 'function-error';
      readonly requestId: string;
      /** `{"errorType", "errorMessage"}` in JSON. */
      readonly payload: string;
    }
  /** The function was not invoked at all: nothing listens, or all its containers are busy. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Invokes functions by name. Never throws: failures are outcomes. */
export interface FunctionInvoker {
  /**
   * @param payload the event, as JSON
   * @param affinity names what the event belongs to (a shard's lane), so that a warm container may be chosen for it
   * @param signal cuts the connection; the function may go on
   */
  invoke(
    functionName: string,
    payload: string,
    options: { readonly affinity: string; readonly signal: AbortSignal },
  ): Promise<InvokeOutcome>;
}
