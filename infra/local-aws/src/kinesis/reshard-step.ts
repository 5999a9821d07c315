/** One split or merge. Shards are named by their first hash key, because those of later steps have no id yet. */
export type ReshardStep =
  | { readonly kind: 'split'; readonly start: string; readonly at: string }
  | { readonly kind: 'merge'; readonly start: string; readonly adjacentStart: string };
