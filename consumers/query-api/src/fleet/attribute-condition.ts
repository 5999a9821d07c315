import type { AttributeCondition, AttributeOperator } from '@twinstream/api-contract';
import { compareNumbers, isExactNumber, isNumberText, type JsonValue } from '@twinstream/device-model';

type Attributes = Readonly<Record<string, JsonValue>>;

/** Tests attributes against all conditions, which are read once. */
export function attributePredicate(
  conditions: readonly AttributeCondition[] = [],
): (attributes: Attributes) => boolean {
  const tests = conditions.map(conditionTest);
  return (attributes) => tests.every((meets) => meets(attributes));
}

function conditionTest(condition: AttributeCondition): (attributes: Attributes) => boolean {
  const meets = valuePredicate(condition);
  const { name } = condition;
  return (attributes) => meets(Object.hasOwn(attributes, name) ? attributes[name] : undefined);
}

/** Tests the value of the attribute that a condition names; undefined where a device does not have it. */
export function valuePredicate({
  operator,
  values,
}: AttributeCondition): (value: JsonValue | undefined) => boolean {
  if (operator === 'exists') {
    const isWanted = values[0] === 'true';
    return (value) => (value !== undefined) === isWanted;
  }
  const tests = values.map((text) => valueTest(operator, text));
  return (value) => value !== undefined && tests.some((meets) => meets(value));
}

/** The same for numbers alone, in one step where the condition has one operand that a double holds. */
export function numberPredicate(condition: AttributeCondition): (value: number) => boolean {
  const { operator, values } = condition;
  const operand = values.length === 1 ? numberOperand(values[0] ?? '') : undefined;
  if (operator === 'exists' || typeof operand !== 'number') return valuePredicate(condition);
  switch (operator) {
    case 'ne':
      return (value) => value !== operand;
    case 'lt':
      return (value) => value < operand;
    case 'le':
      return (value) => value <= operand;
    case 'gt':
      return (value) => value > operand;
    case 'ge':
      return (value) => value >= operand;
    default:
      return (value) => value === operand;
  }
}

/** What a caller may write for a number. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number, or the text of its digits where a double does not hold it; undefined for other texts. */
function numberOperand(text: string): number | string | undefined {
  const words = text.trim();
  if (!NUMBER.test(words)) return undefined;
  return isExactNumber(words, Number(words)) ? Number(words) : words;
}

function valueTest(operator: AttributeOperator, text: string): (value: JsonValue) => boolean {
  const number = numberOperand(text);
  return (value) => {
    if (typeof value === 'number' || (typeof value === 'string' && isNumberText(value)))
      return number !== undefined && compares(operator, compareNumbers(value, number));
    if (typeof value === 'string') return compares(operator, value === text ? 0 : value < text ? -1 : 1);
    if (typeof value !== 'boolean' || !(text === 'true' || text === 'false')) return false;
    const isEqual = String(value) === text;
    return operator === 'ne' ? !isEqual : (operator === 'eq' || operator === 'in') && isEqual;
  };
}

/** `difference`: below 0 where the attribute comes first. */
function compares(operator: AttributeOperator, difference: number): boolean {
  switch (operator) {
    case 'ne':
      return difference !== 0;
    case 'lt':
      return difference < 0;
    case 'le':
      return difference <= 0;
    case 'gt':
      return difference > 0;
    case 'ge':
      return difference >= 0;
    default:
      return difference === 0;
  }
}
