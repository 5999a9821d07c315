const BESIDE = ', topic() AS topic, timestamp() AS receivedAt';

/** SQL of the IoT rule: messages as they are; for a mapping with topic and time of receipt beside the payload. */
export function iotSqlOf(topicFilter: string, isMapped: boolean): string {
  return `SELECT *${isMapped ? BESIDE : ''} FROM '${topicFilter}'`;
}

/**
 * What a rule with this SQL makes of a message: its payload as it is, or with `topic` and `receivedAt` beside. Undefined for any
 * other SQL: its result is known to the rule engine alone.
 */
export function iotRecordForm(sql: string): 'payload' | 'with-topic' | undefined {
  const [, beside] = /^SELECT \*(.*) FROM '[^']*'$/.exec(sql) ?? [];
  if (beside === '') return 'payload';
  return beside === BESIDE ? 'with-topic' : undefined;
}
