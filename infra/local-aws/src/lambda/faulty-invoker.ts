import { randomUUID } from 'node:crypto';
import type { Clock } from '@twinstream/runtime';
import type { FaultInjector } from '../faults/fault-rule.ts';
import type { FunctionInvoker, InvokeOutcome } from './function-invoker.ts';

/**
 * Injects the faults of service `lambda`, operation `Invoke`: `throttle` leaves the function uninvoked, `error` fails
 * the invocation before the function runs, `lost-answer` fails it after the function ran, `delay` begins it later.
 */
export function faultyInvoker(
  invoker: FunctionInvoker,
  injector: FaultInjector,
  clock: Clock,
): FunctionInvoker {
  return {
    invoke: async (functionName, payload, options) => {
      const faults = injector.decide('lambda', 'Invoke');
      if (faults === undefined) return invoker.invoke(functionName, payload, options);
      if (faults.delayMs > 0) await clock.sleep(faults.delayMs);
      if (faults.refusal === 'throttle') return { kind: 'unavailable', reason: 'injected throttle' };
      if (faults.refusal === 'error') return injectedError('injected error');
      const outcome = await invoker.invoke(functionName, payload, options);
      return faults.answerLost && outcome.kind !== 'unavailable'
        ? injectedError('injected loss of the answer')
        : outcome;
    },
  };
}

function injectedError(errorMessage: string): InvokeOutcome {
  const requestId = randomUUID();
  const payload = JSON.stringify({ errorType: 'Runtime.ExitError', errorMessage });
  return { kind: 'function-error', requestId, payload };
}
