import { z } from 'zod';

/** Before the name of an attribute in a query: `attr.batteryPercent=lt:20`. */
export const ATTRIBUTE_FILTER_PREFIX = 'attr.';
const CONDITIONS_MAX = 20;
const CHARACTERS_MAX = 1_024;
/** Values of one `in`. */
const VALUES_MAX = 100;

export const ATTRIBUTE_OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'in', 'exists'] as const;
export type AttributeOperator = (typeof ATTRIBUTE_OPERATORS)[number];

/** A condition on one attribute of a device. */
export interface AttributeCondition {
  readonly name: string;
  readonly operator: AttributeOperator;
  /** One value, but for `in`. */
  readonly values: readonly string[];
}

const rule = `must be up to ${CONDITIONS_MAX} conditions such as lt:20, ge:5, eq:open, ne:closed, in:a,b or exists:true, each of up to ${CHARACTERS_MAX} characters, and in with up to ${VALUES_MAX} values`;

/** `OPERATOR:VALUE`; without a known operator before the first colon, the whole text is the value of `eq`. */
function conditionOf(name: string, text: string): AttributeCondition | undefined {
  const colon = text.indexOf(':');
  const operator = ATTRIBUTE_OPERATORS.find((known) => known === text.slice(0, Math.max(0, colon)));
  if (operator === undefined) return { name, operator: 'eq', values: [text] };
  const value = text.slice(colon + 1);
  const values = operator === 'in' ? value.split(',') : [value];
  const isFit =
    values.length <= VALUES_MAX && (operator !== 'exists' || value === 'true' || value === 'false');
  return isFit ? { name, operator, values } : undefined;
}

/** The conditions of a query, from all of its texts by attribute name. */
export const attributeFilterParameter = z
  // Not a record, which drops a member named __proto__.
  .array(z.tuple([z.string(), z.array(z.string().max(CHARACTERS_MAX, rule))]))
  .transform((byName, context): readonly AttributeCondition[] => {
    const conditions: AttributeCondition[] = [];
    for (const [name, texts] of byName) {
      for (const text of texts) {
        const condition = conditionOf(name, text);
        if (condition === undefined || name === '' || conditions.length === CONDITIONS_MAX) {
          context.addIssue({ code: 'custom', message: rule });
          return z.NEVER;
        }
        conditions.push(condition);
      }
    }
    return conditions;
  })
  .optional()
  .meta({
    description:
      'A condition on the attribute NAME: `lt:20`, `le:20`, `gt:20`, `ge:20`, `eq:open`, `ne:open`, `in:open,ajar`, `exists:true` or `exists:false`; a text without one of these operators means `eq`. May be given several times, for one attribute or for several: a device must meet all. A number is compared with a number, to the last digit, also where it is held as the text of its digits; a text with a text, by code units, and `true` and `false` with `eq` and `ne`; a device whose attribute is of another kind, or absent, does not meet the condition.',
  });
