import { startLocalKinesis } from '@twinstream/local-aws/kinesis';
import { runCommand } from '../run-command.ts';
import { type CheckOutcome, requireInOrder } from './check-outcome.ts';
import { javaArguments, withJavaClient } from './java-client.ts';
import { storedNumbers } from './stored-numbers.ts';

const MAIN = 'PutFleet';
const STREAM = 'devices';
const FLEET = { keys: 200, each: 100 };

/** The KPL puts an aggregated fleet over the port with TLS: every event is stored, once. It promises no order, and none is asked for. */
export function kplCheck(): Promise<CheckOutcome> {
  return withJavaClient('kpl', MAIN, async (folder) => {
    const kinesis = await startLocalKinesis({ stream: STREAM, shards: 3, tlsPort: 0 });
    try {
      if (kinesis.tls === undefined) throw new TypeError('no port with TLS');
      const { port } = new URL(kinesis.tls.url);
      const parameters = [port, STREAM, String(FLEET.keys), String(FLEET.each)];
      await runCommand('java', javaArguments(MAIN, ...parameters), { cwd: folder });
      const { numbers, aggregates } = storedNumbers(kinesis, STREAM);
      const sorted = new Map([...numbers].map(([key, each]) => [key, [...each].sort((a, b) => a - b)]));
      requireInOrder('KPL', sorted, FLEET);
      return {
        kind: 'passed',
        seen: `KPL: ${FLEET.keys * FLEET.each} records over TLS, each stored once, in ${aggregates} aggregates`,
      };
    } finally {
      await kinesis.close();
    }
  });
}
