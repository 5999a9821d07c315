import { invalidParameter, notFound, ok, type Result, refused } from './lambda-error.ts';
import { type Account, functionArn, functionNameOf, roleArn } from './lambda-names.ts';

/** ListFunctions, API reference, read 2026-12: pages of 50, whatever more is asked for. */
const LIST_ITEMS_MAX = 50;

/** The functions that the emulator can invoke: where each has its host, undefined while it is down. */
export type Functions = ReadonlyMap<string, string | undefined>;

/**
 * A function as the Lambda API shows it, as far as the emulator knows it: its host has loaded the code, so that runtime,
 * handler, size, timeout, memory and dates are absent. `Pending` while its host is not up.
 */
function functionConfiguration(functions: Functions, functionName: string, account: Account) {
  const isUp = functions.get(functionName) !== undefined;
  return {
    FunctionName: functionName,
    FunctionArn: functionArn(account, functionName),
    Role: roleArn(account, functionName),
    Version: '$LATEST',
    ...(isUp
      ? { State: 'Active' }
      : { State: 'Pending', StateReason: 'The host of the function is not up.' }),
  };
}

/** ListFunctions: by name, in pages. */
export function listFunctions(
  functions: Functions,
  account: Account,
  query: URLSearchParams,
): Result<Record<string, unknown>> {
  const marker = query.get('Marker') ?? '';
  const itemsMax = Number(query.get('MaxItems') ?? LIST_ITEMS_MAX);
  if (!Number.isInteger(itemsMax) || itemsMax < 1) {
    return refused(invalidParameter('MaxItems: must be a positive integer'));
  }
  const names = [...functions.keys()].filter((name) => name > marker).sort();
  const page = names.slice(0, Math.min(itemsMax, LIST_ITEMS_MAX));
  const last = page.at(-1);
  return ok({
    Functions: page.map((name) => functionConfiguration(functions, name, account)),
    ...(last !== undefined && page.length < names.length ? { NextMarker: last } : {}),
  });
}

/** GetFunctionConfiguration, by name or ARN. */
export function getFunctionConfiguration(
  functions: Functions,
  account: Account,
  name: string,
): Result<Record<string, unknown>> {
  const functionName = functionNameOf(name);
  return functions.has(functionName)
    ? ok(functionConfiguration(functions, functionName, account))
    : refused(notFound(`Function not found: ${functionArn(account, functionName)}`));
}
