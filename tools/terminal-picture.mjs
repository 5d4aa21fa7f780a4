// Runs the demo in a terminal of 80 columns and writes what stands on its screen at the end: docs/pictures/demo-light.svg,
// docs/pictures/demo-dark.svg, and the text into README. Needs `script` of util-linux, which makes the terminal.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import xterm from '@xterm/headless';

const COLUMNS = 80;
const ROWS = 200;
const CELL = { width: 8.4, height: 18 };
const MARGIN = 16;
const THEMES = {
  light: {
    paper: '#ffffff',
    ink: '#24292f',
    frame: '#d0d7de',
    colours: ['#24292f', '#cf222e', '#116329', '#9a6700', '#0969da', '#8250df', '#1b7c83', '#6e7781'],
  },
  dark: {
    paper: '#0d1117',
    ink: '#e6edf3',
    frame: '#30363d',
    colours: ['#6e7681', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'],
  },
};

const lines = await screenOf('pbs-ctl demo', `stty cols ${COLUMNS} rows 50; exec node dist/cli.js demo`);
mkdirSync('docs/pictures', { recursive: true });
for (const [name, theme] of Object.entries(THEMES))
  writeFileSync(`docs/pictures/demo-${name}.svg`, svg(lines, theme));
const text = lines
  .map((cells) =>
    cells
      .map(({ chars }) => chars)
      .join('')
      .trimEnd(),
  )
  .join('\n');
const readme = readFileSync('README.md', 'utf8');
writeFileSync(
  'README.md',
  readme.replace(
    /(<summary>The same as text<\/summary>\n\n```\n)[\s\S]*?(\n```)/,
    (_, head, tail) => head + text + tail,
  ),
);

/** What a person sees at the end: the command, then rows of cells. */
async function screenOf(command, shell) {
  const { NO_COLOR, ...env } = process.env;
  const output = execFileSync('script', ['-qec', shell, '/dev/null'], {
    env: { ...env, TERM: 'xterm-256color' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 24,
  });
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  await new Promise((resolve) => terminal.write(`$ ${command}\r\n${output}`, resolve));
  const { active } = terminal.buffer;
  const rows = Array.from({ length: active.length }, (_, y) => {
    const line = active.getLine(y);
    return Array.from({ length: COLUMNS }, (_, x) => cellOf(line?.getCell(x)));
  });
  // What Slack got repeats the report.
  const report = rows.slice(
    0,
    rows.findIndex((cells) => textOf(cells).startsWith('What Slack got')),
  );
  return report.slice(0, report.findLastIndex((cells) => textOf(cells) !== '') + 1);
}

function textOf(cells) {
  return cells
    .map(({ chars }) => chars)
    .join('')
    .trimEnd();
}

function cellOf(cell) {
  const palette = cell?.isFgPalette() ? cell.getFgColor() % 8 : null;
  return {
    chars: cell?.getChars() || ' ',
    colour: palette,
    bold: Boolean(cell?.isBold()),
    dim: Boolean(cell?.isDim()),
  };
}

function svg(rows, { paper, ink, frame, colours }) {
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN);
  const height = rows.length * CELL.height + 2 * MARGIN;
  const text = rows.flatMap((cells, y) => runsOf(cells).map((run) => spanOf(run, y, ink, colours)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="pbs-ctl demo">`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${paper}" stroke="${frame}"/>`,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`,
    ...text,
    '</g></svg>\n',
  ].join('\n');
}

/** Words of one look: a renderer may collapse spaces, so each word has a place of its own. */
function runsOf(cells) {
  const runs = [];
  cells.forEach(({ chars, ...look }, x) => {
    const last = runs.at(-1);
    const same = last && last.colour === look.colour && last.bold === look.bold && last.dim === look.dim;
    if (chars === ' ' || !same || last.text === ' ' || last.x + last.text.length !== x)
      runs.push({ x, text: chars, ...look });
    else last.text += chars;
  });
  return runs.filter(({ text }) => text !== ' ');
}

function spanOf({ x, text, colour, bold, dim }, y, ink, colours) {
  const at = `x="${(MARGIN + x * CELL.width).toFixed(1)}" y="${MARGIN + y * CELL.height + 14}"`;
  const width = `textLength="${(text.length * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  const look = `fill="${colour === null ? ink : colours[colour]}"${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  return `<text ${at} ${width} ${look}>${escaped(text)}</text>`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
