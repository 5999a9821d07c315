/** `missing`: must be set right before production. `not-checked`: the target has no such thing, or does not say. */
export type CheckStatus = 'ok' | 'missing' | 'not-checked';

export interface Check {
  /** Stable, for programs. */
  readonly check: string;
  /** The resource. */
  readonly subject: string;
  readonly status: CheckStatus;
  readonly found: string;
  /** What to do; null where nothing is missing. */
  readonly remedy: string | null;
}

/** What a look at one resource says: whether it is as it must be, and what to do otherwise. */
export interface Finding {
  readonly isOk: boolean;
  readonly found: string;
  readonly remedy: string;
}

/** Begins what is found where the caller may not look. */
export const NOT_PERMITTED = 'not permitted';

/** As services and emulators name an operation that they do not have. */
const UNKNOWN_OPERATIONS: readonly string[] = [
  'UnknownOperationException',
  'UnknownOperation',
  'NotImplemented',
  'NotImplementedException',
  'InvalidAction',
];
const DENIALS: readonly string[] = [
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'AuthorizationErrorException',
  'UnauthorizedOperation',
];

/**
 * Makes a check of a look. An answer that names the error `absent` means that the thing is not set. One that the caller may not have, or that the
 * target has no operation for, is `not-checked`; any other error is thrown.
 */
export async function checked(
  check: string,
  subject: string,
  look: () => Promise<Finding>,
  { absent, remedy }: { readonly absent: readonly string[]; readonly remedy: string } = {
    absent: [],
    remedy: '',
  },
): Promise<Check> {
  try {
    const finding = await look();
    const status = finding.isOk ? 'ok' : 'missing';
    return { check, subject, status, found: finding.found, remedy: finding.isOk ? null : finding.remedy };
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (absent.includes(name)) return { check, subject, status: 'missing', found: 'not set', remedy };
    if (DENIALS.includes(name)) {
      const text = error instanceof Error ? error.message : name;
      return notChecked(check, subject, `${NOT_PERMITTED}: ${text}`);
    }
    if (UNKNOWN_OPERATIONS.includes(name))
      return notChecked(check, subject, 'the target has no such operation');
    throw error;
  }
}

export function notChecked(check: string, subject: string, found: string): Check {
  return { check, subject, status: 'not-checked', found, remedy: null };
}
