import { type Updates, updateSchemas } from '@twinstream/api-contract';
import type { ServerEvent } from '@twinstream/test-kit';

/** Throws for a message that the contract does not have, or that has a member too many. */
export function checkUpdate({ event, data }: ServerEvent): void {
  const schema = updateSchemas[event as keyof Updates].strict();
  schema.parse(data);
}
