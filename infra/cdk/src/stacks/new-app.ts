import { App, type AppProps } from 'aws-cdk-lib';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };

/** Exports keep what another stack uses from being removed under it; the recommended weak ones do not. */
const STRONG_REFERENCES = { '@aws-cdk/core:defaultCrossStackReferences': 'strong' };

/** An app with the feature flags of a new project, for the CDK's command line and for tests. */
export function newApp(props: AppProps = {}): App {
  return new App({
    analyticsReporting: false,
    ...props,
    postCliContext: { ...flags, ...STRONG_REFERENCES, ...props.postCliContext },
  });
}
