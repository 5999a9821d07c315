// A function for tests: counts its invocations per container and does what its event asks for.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LambdaContext } from '../../../src/lambda/lambda-context.ts';

interface TestEvent {
  readonly action?: 'echo' | 'throw' | 'sleep' | 'exit' | 'spin' | 'reject-later' | 'nothing';
  readonly ms?: number;
  readonly value?: unknown;
  readonly Records?: readonly { readonly eventID: string; readonly kinesis: { readonly data: string } }[];
}

let invocations = 0;
const container = Math.random().toString(36).slice(2);

export async function handler(event: TestEvent, context: LambdaContext): Promise<unknown> {
  invocations += 1;
  switch (event.action) {
    case 'throw':
      throw new RangeError('as asked');
    case 'sleep':
      await sleep(event.ms ?? 0);
      break;
    case 'spin':
      for (const end = Date.now() + (event.ms ?? 0); Date.now() < end; );
      break;
    case 'exit':
      process.exit(3);
      break;
    case 'reject-later':
      void Promise.reject(new Error('nobody waited for this'));
      await sleep(1_000);
      break;
    case 'nothing':
      return undefined;
    default:
      break;
  }
  const path = process.env.RECORDER_FILE;
  if (event.Records && path !== undefined) {
    const lines = event.Records.map(({ eventID, kinesis }) =>
      JSON.stringify({ eventID, text: Buffer.from(kinesis.data, 'base64').toString('utf8') }),
    );
    appendFileSync(path, `${lines.join('\n')}\n`);
    return { batchItemFailures: [] };
  }
  return {
    container,
    invocations,
    value: event.value,
    remainingMs: context.getRemainingTimeInMillis(),
    context: { ...context, getRemainingTimeInMillis: undefined },
  };
}

export const notAFunction = 1;
