import type { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';

export const REGION = 'us-east-1';
export const ACCOUNT = '123456789012';

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::URLSuffix': 'amazonaws.com',
};

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const templateSchema = z.object({
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() }))
    .default({}),
  Parameters: z.record(z.string(), z.object({ Default: z.string().optional() })).default({}),
});

export interface DeployedResource {
  readonly id: string;
  readonly type: string;
  readonly arn: string;
  /** Every reference in them is replaced by the name or ARN that it would have. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** ARN of a resource whose name is its logical id, for the types that policies of this project name. */
function arnOf(type: string, id: string): string {
  const here = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
  const arns: Readonly<Record<string, string>> = {
    'AWS::CloudWatch::Alarm': here('cloudwatch', `alarm:${id}`),
    'AWS::DynamoDB::Table': here('dynamodb', `table/${id}`),
    'AWS::Events::EventBus': here('events', `event-bus/${id}`),
    'AWS::IAM::Role': `arn:aws:iam::${ACCOUNT}:role/${id}`,
    'AWS::KMS::Key': here('kms', `key/${id}`),
    'AWS::Kinesis::Stream': here('kinesis', `stream/${id}`),
    'AWS::KinesisFirehose::DeliveryStream': here('firehose', `deliverystream/${id}`),
    'AWS::Lambda::Alias': here('lambda', `function:${id}`),
    'AWS::Lambda::Function': here('lambda', `function:${id}`),
    'AWS::Logs::LogGroup': here('logs', `log-group:${id}:*`),
    'AWS::S3::Bucket': `arn:aws:s3:::${id}`,
    'AWS::SNS::Topic': here('sns', id),
  };
  return arns[type] ?? `${type}:${id}`;
}

/** Types whose `Ref` is an ARN. */
const REFERRED_BY_ARN: ReadonlySet<string> = new Set(['AWS::Lambda::Alias', 'AWS::SNS::Topic']);

/** What the templates of one app become when they are deployed, as far as policies can tell. */
export function deployedResources(templates: readonly Template[]): readonly DeployedResource[] {
  const exported = new Map<string, unknown>();
  return templates.flatMap((template) => {
    const { Resources, Outputs, Parameters } = templateSchema.parse(template.toJSON());
    const reference = (id: string): string => {
      const found = Resources[id];
      if (found === undefined) return PSEUDO_PARAMETERS[id] ?? Parameters[id]?.Default ?? id;
      return REFERRED_BY_ARN.has(found.Type) ? arnOf(found.Type, id) : id;
    };
    const attribute = ([id = '', name = '']: readonly string[]): string => {
      const arn = arnOf(Resources[id]?.Type ?? '', id);
      if (name === 'Arn' || name === 'TopicArn') return arn;
      return name === 'StreamArn' ? `${arn}/stream/label` : `${id}.${name}`;
    };
    const resolve = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(resolve);
      if (typeof value !== 'object' || value === null) return value;
      const members = Object.entries(value);
      const [[name, argument] = ['', undefined]] = members.length === 1 ? members : [];
      if (name === 'Ref') return reference(z.string().parse(argument));
      if (name === 'Fn::GetAtt') return attribute(z.array(z.string()).parse(argument));
      if (name === 'Fn::ImportValue') return exported.get(String(resolve(argument)));
      if (name === 'Fn::Join') {
        const [separator, parts] = z.tuple([z.string(), z.array(z.unknown())]).parse(argument);
        return parts.map(resolve).join(separator);
      }
      return Object.fromEntries(members.map(([key, member]) => [key, resolve(member)]));
    };
    for (const { Value, Export } of Object.values(Outputs)) {
      if (Export !== undefined) exported.set(String(resolve(Export.Name)), resolve(Value));
    }
    return Object.entries(Resources).map(([id, { Type, Properties }]) => ({
      id,
      type: Type,
      arn: arnOf(Type, id),
      properties: z.record(z.string(), z.unknown()).parse(resolve(Properties)),
    }));
  });
}

const texts = z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat());
const principalSchema = z.strictObject({ AWS: texts.default([]), Service: texts.default([]) });
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.preprocess((given) => (given === '*' ? { AWS: given } : given), principalSchema.optional()),
  Action: texts,
  Resource: texts.default([]),
  Condition: z.record(z.string(), z.record(z.string(), texts)).default({}),
});
export type Statement = z.infer<typeof statementSchema>;
const documentSchema = z.object({ Statement: z.array(statementSchema) });

export function statementsOf(document: unknown): readonly Statement[] {
  return documentSchema.parse(document).Statement;
}

export interface PolicyRequest {
  readonly action: string;
  readonly resource: string;
  /** Who asks, to a policy of a resource: a service by name, or an ARN. */
  readonly principal?: { readonly service: string } | { readonly arn: string };
  /** Condition keys of the request, such as `aws:SourceAccount`. */
  readonly context?: Readonly<Record<string, string>>;
}

/**
 * Evaluates statements as IAM does: an applying Deny wins over every Allow ("Policy evaluation logic", IAM user guide, read 2026-11).
 * Throws for a condition operator that it does not know.
 */
export function decide(
  statements: readonly Statement[],
  request: PolicyRequest,
): 'allowed' | 'denied' | 'not allowed' {
  const applying = statements.filter((statement) => applies(statement, request));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'not allowed';
}

function applies(
  statement: Statement,
  { action, resource, principal, context = {} }: PolicyRequest,
): boolean {
  const { Principal, Action, Resource, Condition } = statement;
  return (
    (principal === undefined || isAmong(principal, Principal)) &&
    Action.some((pattern) => isLike(pattern.toLowerCase(), action.toLowerCase())) &&
    (Resource.length === 0 || Resource.some((pattern) => isLike(pattern, resource))) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, values, context[key])),
    )
  );
}

function isAmong(
  principal: NonNullable<PolicyRequest['principal']>,
  { AWS, Service }: NonNullable<Statement['Principal']> = { AWS: [], Service: [] },
): boolean {
  if (AWS.includes('*')) return true;
  return 'service' in principal ? Service.includes(principal.service) : AWS.includes(principal.arn);
}

/** "IAM JSON policy elements: condition operators", read 2026-11: a negated operator also holds where the key is missing. */
function holds(operator: string, values: readonly string[], actual: string | undefined): boolean {
  const equal = () => actual !== undefined && values.includes(actual);
  const like = () => actual !== undefined && values.some((pattern) => isLike(pattern, actual));
  const operators: Readonly<Record<string, () => boolean>> = {
    StringEquals: equal,
    StringNotEquals: () => !equal(),
    StringLike: like,
    StringNotLike: () => !like(),
    ArnEquals: like,
    ArnLike: like,
    ArnNotEquals: () => !like(),
    ArnNotLike: () => !like(),
    Bool: equal,
    NumericLessThan: () => actual !== undefined && values.some((value) => Number(actual) < Number(value)),
  };
  const evaluate = operators[operator];
  if (evaluate === undefined) throw new TypeError(`condition operator ${operator} is not evaluated here`);
  return evaluate();
}

/** Whether a pattern with `*` and `?` matches a text. */
export function isLike(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
