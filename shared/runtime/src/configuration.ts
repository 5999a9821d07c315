import type { z } from 'zod';
import { CodedError } from './coded-error.ts';

/** Environment variables by name. Only the entry file of a process passes `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration of one process, once, and freezes it. The schema's keys are the variables' own names; an
 * empty variable counts as absent. Throws `INVALID_CONFIGURATION` naming all faulty variables and what each should be.
 */
export function readConfiguration<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
): Readonly<z.infer<Schema>> {
  const present = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, environment[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (!result.success) {
    const faults = result.error.issues.map(
      (issue) => `${issue.path.join('.') || 'configuration'}: ${issue.message}`,
    );
    throw new CodedError('INVALID_CONFIGURATION', `configuration is invalid\n  ${faults.join('\n  ')}`);
  }
  return Object.freeze(result.data);
}
