import { BatchGetItemCommand, type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { dynamoDbClient } from '@twinstream/aws/dynamodb';
import { sentEvents } from '@twinstream/end-to-end';
import type { LedgerViolation } from '@twinstream/verification';
import { missingFromArchive } from '../archive-completeness.ts';
import type { LedgerCheckOptions } from '../ledger-check.ts';
import { type LedgerFindings, told } from '../ledger-check.ts';

interface Sent {
  /** Keys of the items that the handler must have put. */
  readonly keys: Set<string>;
  /** The highest of them: that of the latest state. */
  latest: string;
}

const KEYS_AT_ONCE = 100;

/** Every event of the ledgers is an item, and every device's state is that of its newest event; the archive holds all. */
export async function checkBaseline(options: LedgerCheckOptions): Promise<LedgerFindings> {
  const { access } = options;
  const client = dynamoDbClient(access.clients.dynamoDb);
  const violations: LedgerViolation[] = [];
  const devices = new Map<string, Sent>();
  let malformed = 0;
  for await (const { deviceId, event, fate } of sentEvents(...options.ledgerFiles)) {
    if (event === undefined) malformed += 1;
    if (event?.identity === undefined || fate !== 'acknowledged') continue;
    const key = keyOf(event.identity.session, event.identity.counter);
    const sent = devices.get(deviceId) ?? { keys: new Set(), latest: '' };
    devices.set(deviceId, sent);
    sent.keys.add(key);
    if (key > sent.latest) sent.latest = key;
  }
  let [sent, stored] = [0, 0];
  try {
    for (const [deviceId, { keys }] of devices) {
      sent += keys.size;
      const found = await storedKeys(client, access.eventsTable, deviceId);
      stored += found.size;
      for (const key of keys)
        if (!found.has(key)) violations.push({ kind: 'lost', subject: `${deviceId} ${key}` });
    }
    const stale = await staleStates(client, access.deviceStateTable, devices);
    for (const violation of stale) violations.push(violation);
  } finally {
    client.destroy();
  }
  const archive = await missingFromArchive(options);
  for (const violation of archive.violations) violations.push(violation);
  return {
    devices: devices.size,
    sent,
    stored,
    duplicates: 0,
    late: 0,
    malformed,
    pages: null,
    archived: archive.archived,
    ...told(violations),
  };
}

function keyOf(session: number, counter: number): string {
  return `EVENT#${String(session).padStart(10, '0')}#${String(counter).padStart(12, '0')}`;
}

async function storedKeys(client: DynamoDBClient, TableName: string, deviceId: string): Promise<Set<string>> {
  const found = new Set<string>();
  const input = {
    TableName,
    KeyConditionExpression: 'deviceId = :deviceId',
    ProjectionExpression: '#key',
    ExpressionAttributeNames: { '#key': 'key' },
    ExpressionAttributeValues: { ':deviceId': { S: deviceId } },
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateQuery({ client }, input)) {
    for (const { key } of Items) found.add(key?.S ?? '');
  }
  return found;
}

async function staleStates(
  client: DynamoDBClient,
  table: string,
  devices: ReadonlyMap<string, Sent>,
): Promise<LedgerViolation[]> {
  const violations: LedgerViolation[] = [];
  const ids = [...devices.keys()];
  for (let index = 0; index < ids.length; index += KEYS_AT_ONCE) {
    const Keys = ids.slice(index, index + KEYS_AT_ONCE).map((id) => ({ deviceId: { S: id } }));
    const { Responses } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: true } } }),
    );
    const found = new Map(
      (Responses?.[table] ?? []).map((item) => [
        item.deviceId?.S,
        keyOf(Number(item.session?.N), Number(item.counter?.N)),
      ]),
    );
    for (const { deviceId } of Keys) {
      const [expected, is] = [devices.get(deviceId.S)?.latest, found.get(deviceId.S) ?? 'none'];
      if (is !== expected) {
        violations.push({
          kind: 'state-differs',
          subject: `${deviceId.S}: expected ${expected}, found ${is}`,
        });
      }
    }
  }
  return violations;
}
