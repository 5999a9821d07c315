import { consumerFacts } from './contract/consumers.ts';
import { limitFacts } from './contract/limits.ts';
import { putFacts } from './contract/puts.ts';
import { readFacts } from './contract/reads.ts';
import { reshardingFacts, shardListFacts } from './contract/resharding.ts';
import { settingsFacts } from './contract/settings.ts';
import { streamFacts } from './contract/streams.ts';
import { type ContractSubject, tellFacts } from './contract/subject.ts';
import { subscriptionFacts } from './contract/subscriptions.ts';
import { tagFacts } from './contract/tags.ts';

/** What is true of Kinesis, told of one subject with the real SDK client. */
export function kinesisContract(subject: ContractSubject): void {
  tellFacts(subject, {
    streams: streamFacts,
    puts: putFacts,
    reads: readFacts,
    resharding: reshardingFacts,
    'lists of shards': shardListFacts,
    limits: limitFacts,
  });
}

/** What is true of tags, policies and the settings of streams. */
export function settingsContract(subject: ContractSubject): void {
  tellFacts(subject, { tags: tagFacts, settings: settingsFacts });
}

/** What is true of enhanced fan-out. */
export function fanOutContract(subject: ContractSubject): void {
  tellFacts(subject, { consumers: consumerFacts, subscriptions: subscriptionFacts });
}
