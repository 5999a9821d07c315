import type { EventPage, ReceiptLimits } from '@twinstream/device-model';
import type { ShardId } from '@twinstream/stream-model';

/** Something that is not as the guarantees say. */
export interface Difference {
  /**
   * Partition key of what differs: a device id, unless the kind is `item-foreign` or an entry is invalid. Empty where an
   * object or a line is foreign.
   */
  readonly deviceId: string;
  /**
   * `page-missing`: a number of the chain is absent. `page-damaged`: a page cannot be read. `page-key-differs`: a page does
   * not stand at the key that follows from the page before. `page-attribute-differs`: an attribute beside a page's body does
   * not say what the body says. `stored-twice`: an identity has two places. `state-missing`, `state-differs`,
   * `state-damaged`: the live item is not the fold of the pages. `state-refused`: no item can hold the fold.
   * `state-attribute-differs`: an attribute of the live item does not follow from the others. `snapshot-differs`,
   * `snapshot-damaged`, `snapshot-attribute-differs`: a snapshot is not the fold up to its page, with everything received.
   * `item-foreign`: an item stands at a key that this project does not write. `not-archived`: the archive lacks a stored
   * event or a dead letter although it should have it by now. `archive-differs`: it has another event at that position.
   * `not-stored`, `device-missing`: it has an event, or a whole device, that neither store and no given-up batch has.
   * `not-quarantined`: it has an invalid entry that the dead-letter store and given-up batches lack.
   * `quarantine-differs`: a dead letter holds other bytes. `object-foreign`, `line-foreign`: something lies in the archive,
   * in the dead-letter store or among given-up batches that does not belong there.
   */
  readonly kind:
    | 'page-missing'
    | 'page-damaged'
    | 'page-key-differs'
    | 'page-attribute-differs'
    | 'stored-twice'
    | 'state-missing'
    | 'state-refused'
    | 'state-differs'
    | 'state-damaged'
    | 'state-attribute-differs'
    | 'snapshot-differs'
    | 'snapshot-damaged'
    | 'snapshot-attribute-differs'
    | 'item-foreign'
    | 'not-archived'
    | 'archive-differs'
    | 'not-stored'
    | 'device-missing'
    | 'not-quarantined'
    | 'quarantine-differs'
    | 'object-foreign'
    | 'line-foreign';
  /** What differs: an attribute, a count, a page number, an identity, a sort key. */
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
}

/** An event of the chain as it was met. */
export interface ChainEvent {
  readonly shardId: ShardId;
  readonly stored: EventPage['events'][number];
}

export interface VerifyDeviceOptions {
  /** Told of every event in chain order. */
  readonly onEvent?: (event: ChainEvent) => void;
  /** What the state remembers of receipts. Default: as the state item does. */
  readonly limits?: ReceiptLimits;
  readonly signal?: AbortSignal | undefined;
}
