import { memoryDeliveryStream } from '@twinstream/event-archiver';
import { describeDeliveryStream } from '../contract/delivery-stream-contract.ts';

describeDeliveryStream('memory', () => {
  const deliveryStream = memoryDeliveryStream();
  return { deliveryStream, delivered: () => deliveryStream.delivered };
});
