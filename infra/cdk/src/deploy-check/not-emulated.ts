/** What the emulator does not do as AWS does, and what shows it instead. */
export const NOT_EMULATED: readonly { readonly what: string; readonly coveredBy: string }[] = [
  {
    what: 'item failures, bisect, retries, record age and the failure destination of the mapping',
    coveredBy:
      'infra/local-aws/test/lambda (the same settings, against behaviour that snapshot tests of LocalStack recorded on AWS), infra/cdk/test/stream-consumers.test.ts',
  },
  {
    what: 'rights of roles: requests are not checked against policies',
    coveredBy:
      'infra/cdk/test/permissions.test.ts (every action and resource of every role), infra/cdk/test/rights.e2e.test.ts (against the code and the triggers)',
  },
  {
    what: 'splitting and merging shards without loss',
    coveredBy: 'infra/local-aws contract tests, the simulation',
  },
  {
    what: 'encryption, recovery to a point in time, deletion protection',
    coveredBy: 'infra/cdk/test/data-at-rest.test.ts',
  },
  {
    what: 'sequence numbers of the documented form (start_emulator.py mends them)',
    coveredBy: 'shared/stream-model/test/sequence-number.test.ts',
  },
  {
    what: 'GZIP of archive objects',
    coveredBy:
      'infra/cdk/test/archive.test.ts, the contract tests of infra/local-aws against Firehose as documented',
  },
  {
    what: 'tags of buckets that a stack makes (set by the check, for CDK empties a bucket only where they say so)',
    coveredBy: 'infra/cdk/test/archive.test.ts',
  },
  {
    what: 'alarms that go off, and expressions of alarms (start_emulator.py makes them without)',
    coveredBy: 'infra/cdk/test/alarms.test.ts',
  },
];
