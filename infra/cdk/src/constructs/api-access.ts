/** How callers of the API prove who they are: by signatures of IAM, or by tokens of an OpenID provider. */
export type ApiAccess =
  | { readonly kind: 'iam' }
  | { readonly kind: 'jwt'; readonly issuer: string; readonly audience: readonly string[] };
