import { commandHost } from '@twinstream/command-line';
import { adoptCommand } from './adopt-command.ts';

process.exitCode = await adoptCommand({ ...commandHost(process), stdin: process.stdin, nowMs: Date.now() });
