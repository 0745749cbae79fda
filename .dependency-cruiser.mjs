// The one-way arrows of ARCHITECTURE.md. Every rule here must be broken by tools/checks/arrows-fixture:
// `npm run arrows` fails when one of them reports nothing there, so that a rule that matches nothing cannot pass.

/** Front doors: what a package may be entered by from outside. */
const frontDoors = '^(packages|tools)/[^/]+/(src|src/telemetry|src/supabase|testing)/index\\.ts$';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'core-imports-no-neighbour',
      comment: 'core is the ground: it knows no adapter, and no other package of ours.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: { path: '^(packages|tools|bench|examples)/', pathNot: '^packages/core/' },
    },
    {
      name: 'core-does-no-io',
      comment: 'core decides; hosts and adapters act. Paths and digests are pure, every other built-in is not.',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(path(/posix)?|crypto)$' },
    },
    {
      name: 'core-does-not-know-its-tests',
      comment: 'The fakes and contract suites stand on core, never the other way round.',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { path: '(^packages/core/test(ing)?/|node_modules/vitest/)' },
    },
    {
      name: 'adapters-stand-alone',
      comment: 'An adapter knows core and nothing beside it; the umbrella joins them.',
      severity: 'error',
      from: { path: '^packages/((?:pty-host|transport-[^/]+|store-[^/]+))/src/' },
      to: { path: '^packages/', pathNot: '^packages/(core|$1)/' },
    },
    {
      name: 'cli-imports-only-the-umbrella',
      comment: 'The command is a user of semo-office like any other.',
      severity: 'error',
      from: { path: '^packages/cli/src/' },
      to: { path: '^packages/', pathNot: '^packages/(cli|semo-office)/' },
    },
    {
      name: 'cli-loads-supabase-when-asked',
      comment:
        "That room of the command is entered by import() alone, so that Supabase's client costs only those who use it.",
      severity: 'error',
      from: { path: '^packages/cli/src/', pathNot: '^packages/cli/src/supabase/' },
      to: { path: '^packages/(cli|semo-office)/src/supabase/', dynamic: false },
    },
    {
      name: 'nobody-imports-cli',
      comment: 'The command is the top floor.',
      severity: 'error',
      from: { path: '^(packages|tools|bench|examples)/', pathNot: '^packages/cli/' },
      to: { path: '^packages/cli/' },
    },
    {
      name: 'node-pty-behind-one-file',
      comment: 'Only the terminal adapter touches node-pty; bench/ measures against the raw thing.',
      severity: 'error',
      from: { path: '^(packages|tools|examples)/', pathNot: '^packages/pty-host/src/terminal/pty-terminal\\.ts$' },
      to: { path: '(^|/)node_modules/node-pty/' },
    },
    {
      name: 'sources-import-no-tools',
      comment: 'What is published stands without what is private.',
      severity: 'error',
      from: { path: '^packages/[^/]+/(src|testing)/' },
      to: { path: '^(tools|bench|examples)/' },
    },
    {
      name: 'through-the-front-door',
      comment: 'A package is entered by its name, never by a path into it.',
      severity: 'error',
      from: { path: '^((?:packages|tools)/[^/]+|examples|bench)/' },
      to: { path: '^(packages|tools)/[^/]+/', pathNot: ['^$1/', frontDoors] },
    },
    {
      name: 'no-cycles',
      comment: 'Files that need each other, be it for a type only, are one file or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that leads nowhere would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|arrows-fixture)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
