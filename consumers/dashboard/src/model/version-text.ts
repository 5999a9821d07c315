import type { AttributeVersion } from '@twinstream/api-contract';

type WrittenVersion = Pick<AttributeVersion, 'session' | 'counter'> & Partial<AttributeVersion>;

/** A version for people: `session.counter`, or the event's ordinal where the device has counted nothing. */
export function versionText({ session, counter, ordinal = 0, revision = 0 }: WrittenVersion): string {
  const counted = session < 0 ? [] : [`${session}.${counter}`];
  return [
    ...counted,
    ...(ordinal > 0 ? [`+${ordinal}`] : []),
    ...(revision > 0 ? [`r${revision}`] : []),
  ].join(' ');
}
