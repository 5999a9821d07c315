import type { Command } from 'commander';

/** Width of a help text, in columns: as many as a page shows. */
const HELP_COLUMNS = 76;

/** A command with its words: `twinstream ops replay plan`. */
interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** The page of all commands: the help text of each, as `--help` prints it. */
export function commandLinePage(root: Command, parts: readonly Command[]): string {
  const program = root.name();
  const commands = parts.flatMap((part) => commandTree(part, `${program} ${part.name()}`));
  return [
    '# Command line',
    `Every command of \`${program}\`, with the help that it prints. In a clone \`bin/${program}\` is the same program.`,
    '```text',
    helpText(root, program),
    '```',
    ...commands.map(({ name, command }) => {
      const level = Math.min(name.split(' ').length, 4);
      return `${'#'.repeat(level)} ${name}\n\n\`\`\`text\n${helpText(command, name)}\n\`\`\``;
    }),
    '',
  ].join('\n\n');
}

/** A command and all below it. The help command of each is left out. */
export function commandTree(command: Command, name: string): readonly NamedCommand[] {
  const below = command.commands
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => commandTree(child, `${name} ${child.name()}`));
  return [{ name, command }, ...below];
}

function helpText(command: Command, name: string): string {
  let text = '';
  command.name(name.split(' ').at(-1) ?? '').configureOutput({
    writeOut: (written) => {
      text += written;
    },
    getOutHelpWidth: () => HELP_COLUMNS,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}
