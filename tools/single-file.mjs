// Bundles the program and all that it needs into one file: node pbs-ctl.mjs needs nothing beside it.
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const TOOLBOX = 'src/lab/machine/toolbox';
const OUTPUT = process.argv[2] ?? 'single/pbs-ctl.mjs';
const { version, license } = JSON.parse(readFileSync('package.json', 'utf8'));

// Modules that know where files lie, and what stands in their place where there are no files.
const instead = {
  'src/version.ts': `export const version = ${JSON.stringify(version)};`,
  'src/lab/machine/toolbox-folder.ts': unpacking(),
};

const replaced = new Set();
const bundle = await rolldown({
  input: 'src/cli.ts',
  platform: 'node',
  // Its paths are for the compiler: what they lead to has types and no code.
  tsconfig: false,
  plugins: [
    {
      name: 'files-within',
      load(id) {
        const path = Object.keys(instead).find((each) => id.endsWith(`/${each}`));
        if (!path) return null;
        replaced.add(path);
        return { code: instead[path], moduleType: 'js' };
      },
      // One that has moved would look for its files beside the bundle.
      buildEnd() {
        const moved = Object.keys(instead).filter((path) => !replaced.has(path));
        if (moved.length > 0) this.error(`nothing imports ${moved.join(', ')}: has it moved?`);
      },
    },
  ],
});
const { output } = await bundle.write({
  file: OUTPUT,
  format: 'esm',
  // Commands are loaded when they run, also within one file.
  codeSplitting: false,
  strictExecutionOrder: true,
  comments: { legal: true },
  minify: true,
  postBanner: `/*! pbs-ctl ${version}, ${license}; the licences of its libraries: licences.txt */`,
});
await bundle.close();
chmodSync(OUTPUT, 0o755);
writeFileSync(join(dirname(OUTPUT), 'licences.txt'), licencesOf(output[0].moduleIds));

/** What the libraries that went in ask to be passed on. */
function licencesOf(modules) {
  const folders = new Set(
    modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** The stand-ins of the lab, in a folder of this process. */
function unpacking() {
  const files = readdirSync(TOOLBOX).map((name) => {
    const path = join(TOOLBOX, name);
    return [name, statSync(path).mode & 0o777, readFileSync(path, 'utf8')];
  });
  return `
    import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    export const TOOLBOX = mkdtempSync(join(tmpdir(), 'pbs-ctl-toolbox-'));
    process.once('exit', () => rmSync(TOOLBOX, { recursive: true, force: true }));
    for (const [name, mode, text] of ${JSON.stringify(files)}) writeFileSync(join(TOOLBOX, name), text, { mode });
  `;
}
