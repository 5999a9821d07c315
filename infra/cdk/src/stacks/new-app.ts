import { App, type AppProps } from 'aws-cdk-lib';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };

/** An app with the feature flags of a new project, whoever makes it: the CDK's command line, or a test. */
export function newApp(props: AppProps = {}): App {
  return new App({ analyticsReporting: false, ...props, postCliContext: flags });
}
