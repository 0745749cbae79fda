import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

interface Cruise {
  readonly violations: readonly {
    readonly from: string;
    readonly to: string;
    readonly rule: { readonly name: string };
  }[];
  readonly totalCruised: number;
  readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
}

const root = resolve(import.meta.dirname, '../..');

/** Runs dependency-cruiser over the folders that a tree has; violations are data here, not a failure. */
function cruise(tree: string): Cruise {
  const folders = ['packages', 'tools', 'bench', 'examples'].filter((folder) => existsSync(join(tree, folder)));
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const config = join(root, '.dependency-cruiser.mjs');
  const args = [cruiser, '--config', config, '--output-type', 'json', ...folders];
  const options: ExecFileSyncOptionsWithStringEncoding = { cwd: tree, encoding: 'utf8', maxBuffer: 2 ** 28 };
  const report = JSON.parse(execFileSync(process.execPath, args, options)) as { readonly summary: Cruise };
  return report.summary;
}

const here = cruise(root);
for (const { rule, from, to } of here.violations) console.error(`${rule.name}: ${from} -> ${to}`);

const rules = here.ruleSetUsed.forbidden.map(({ name }) => name);
const biting = new Set(cruise(join(root, 'tools/checks/arrows-fixture')).violations.map(({ rule }) => rule.name));
const silent = rules.filter((name) => !biting.has(name));
for (const name of silent)
  console.error(`${name}: reports nothing in the fixture that breaks it, so it guards nothing`);

console.log(
  `${here.totalCruised} files, ${here.violations.length} forbidden imports, ${biting.size} rules proven to bite`,
);
if (here.violations.length > 0 || silent.length > 0 || rules.length === 0) process.exitCode = 1;
