import { z } from 'zod';
import { FAULT_KINDS, FAULT_SERVICES, type FaultRule } from './fault-rule.ts';

/** Rules beyond these limits are mistakes: more of them, or waits longer than a client's patience. */
const RULES_MAX = 100;
const DELAY_MS_MAX = 600_000;
const SEED_MAX = 2 ** 32 - 1;

/** Only batch operations can fail in part; of DynamoDB's, `BatchExecuteStatement` does here. */
const PARTIAL_SERVICES: readonly string[] = ['kinesis', 'firehose', 'dynamodb'];

const RULE = z
  .strictObject({
    service: z.enum(FAULT_SERVICES),
    operation: z
      .string()
      .regex(/^[A-Za-z]{1,64}$/, 'must be the name of an API operation, such as PutRecords')
      .optional(),
    kind: z.enum(FAULT_KINDS),
    rate: z.number().min(0).max(1),
    delayMs: z.int().min(0).max(DELAY_MS_MAX).optional(),
    seed: z.int().min(0).max(SEED_MAX).optional(),
    count: z.int().min(0).optional(),
  })
  .superRefine((rule, context) => {
    if (rule.kind === 'delay' && rule.delayMs === undefined) {
      context.addIssue({ code: 'custom', path: ['delayMs'], message: 'is required when kind is delay' });
    }
    if (rule.kind !== 'delay' && rule.delayMs !== undefined) {
      context.addIssue({ code: 'custom', path: ['delayMs'], message: 'only goes with kind delay' });
    }
    if (
      rule.kind === 'expired-iterator' &&
      (rule.service !== 'kinesis' || (rule.operation ?? 'GetRecords') !== 'GetRecords')
    ) {
      context.addIssue({
        code: 'custom',
        path: ['kind'],
        message: 'expired-iterator only goes with GetRecords of kinesis',
      });
    }
    if (rule.kind === 'partial' && !PARTIAL_SERVICES.includes(rule.service)) {
      context.addIssue({
        code: 'custom',
        path: ['kind'],
        message: `partial only goes with ${PARTIAL_SERVICES.join(', ')}`,
      });
    }
  });

const DOCUMENT = z.strictObject({ rules: z.array(RULE).max(RULES_MAX) });

/** One fault of a rules document. */
export interface DocumentFault {
  /** Where, as in `rules[0].rate`. */
  readonly field: string;
  readonly message: string;
}

export type ParsedRules =
  | { readonly kind: 'rules'; readonly rules: readonly FaultRule[] }
  | { readonly kind: 'invalid'; readonly faults: readonly DocumentFault[] };

/** Reads `{"rules": [FaultRule, …]}`. Names every faulty field. */
export function parseFaultRules(document: unknown): ParsedRules {
  const result = DOCUMENT.safeParse(document);
  if (!result.success) {
    const faults = result.error.issues.map(({ path, message }) => ({ field: fieldName(path), message }));
    return { kind: 'invalid', faults };
  }
  return { kind: 'rules', rules: result.data.rules.map(present) };
}

function fieldName(path: readonly PropertyKey[]): string {
  const name = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  return name === '' ? 'document' : name;
}

/** Leaves out what the document left out, so that absent stays absent. */
function present(rule: z.infer<typeof RULE>): FaultRule {
  const { service, kind, rate, operation, delayMs, seed, count } = rule;
  return {
    service,
    kind,
    rate,
    ...(operation === undefined ? {} : { operation }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(seed === undefined ? {} : { seed }),
    ...(count === undefined ? {} : { count }),
  };
}
