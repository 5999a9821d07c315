import type { DeviceId } from '@twinstream/device-model';
import type { AuditableEventStore } from '@twinstream/event-store';

type Pages = Pick<AuditableEventStore, 'auditPages'>;

/**
 * An event store through which whole chains are read, and whose counted events must rise by session and counter: the
 * order in which each device sent them. Tells of each that does not, once for every time that its chain is read.
 */
export function orderChecked<Store extends Pages>(
  store: Store,
  onDisorder: (deviceId: DeviceId, what: string) => void,
): Store {
  return {
    ...store,
    async *auditPages(deviceId, options) {
      let [lastSession, lastCounter] = [-1, -1];
      for await (const audited of store.auditPages(deviceId, options)) {
        yield audited;
        if (audited.kind !== 'page') continue;
        const { page, events } = audited.page;
        for (const { event } of events) {
          if (event.identity === undefined) continue;
          const { session, counter } = event.identity;
          if (session > lastSession || (session === lastSession && counter > lastCounter)) {
            [lastSession, lastCounter] = [session, counter];
          } else {
            const place = `page ${page}: session ${session}, counter ${counter}`;
            onDisorder(deviceId, `${place} after session ${lastSession}, counter ${lastCounter}`);
          }
        }
      }
    },
  } satisfies Store;
}
