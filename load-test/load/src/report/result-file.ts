import { readFileSync } from 'node:fs';
import { CodedError } from '@twinstream/runtime';
import type { LoadResult } from '../load-result.ts';

/** Reads a result that `--save` or `--output json` wrote. Throws `INVALID_USAGE` for any other file. */
export function readResult(path: string): LoadResult {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CodedError('INVALID_USAGE', `${path} cannot be read: ${why}`, { cause: error });
  }
  if (!isResult(document)) {
    throw new CodedError('INVALID_USAGE', `${path} is not a result of a load test`);
  }
  return document;
}

function isResult(document: unknown): document is LoadResult {
  return (
    typeof document === 'object' &&
    document !== null &&
    'format' in document &&
    document.format === ('twinstream-load-test-1' satisfies LoadResult['format'])
  );
}
