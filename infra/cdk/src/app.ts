import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { prepareBundles } from './bundles.ts';
import { addStacks } from './stacks/add-stacks.ts';
import { newApp } from './stacks/new-app.ts';
import { stageFile } from './stage-file.ts';
import { stageConfiguration } from './stages.ts';

await prepareBundles();
const app = newApp();
addStacks(app, stageConfiguration(stageFile((name) => app.node.tryGetContext(name))));
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
app.synth();
