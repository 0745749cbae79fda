// Started by own-process.ts: runs the `task` of the file named first with the data given second, and hands back its result.
const [file = '', input = 'null'] = process.argv.slice(2);
const { task } = (await import(`./${file}`)) as { task: (input: unknown) => Promise<unknown> };
process.send?.(await task(JSON.parse(input)), () => {
  process.disconnect();
});
