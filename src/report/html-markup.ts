import { oneLine } from '../printable.js';

/** Escaped HTML. Only {@link html} makes it, so that escaping cannot be forgotten. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | readonly Markup[];

/**
 * Template tag: escapes what is put in, for text and quoted attributes alike, unless it is {@link Markup}.
 * Text also loses control characters and marks that change the direction of writing.
 */
export function html(fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    fixed.map((text, index) => (index === 0 ? '' : written(parts[index - 1])) + text).join(''),
  );
}

export const NOTHING = html``;

function written(part: Part | undefined): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('\n');
  return oneLine(String(part)).replace(/[&<>"']/g, (letter) => ENTITY[letter] ?? letter);
}

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Light and dark, narrow and wide, and on paper. */
export const STYLE = html`<style>
:root{--paper:#fff;--ink:#1c2024;--quiet:#5b636b;--line:#d8dde2;--card:#f5f6f8;--good:#1a7f4b;--careful:#8a5c00;--bad:#c02626;--used:#3b6fb5}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e9ec;--quiet:#9aa4ae;--line:#333b43;--card:#1d2226;--good:#4fc286;--careful:#e0a92e;--bad:#ff7b72;--used:#6ea3e6}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:58rem;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header{border-left:.4rem solid;padding:.2rem 0 .2rem 1rem;margin-bottom:1.5rem}
header p{margin:.5rem 0 0;color:var(--ink)}
h1{margin:0;font-size:2rem;line-height:1.2}
h2{font-size:1.1rem;margin:2rem 0 .7rem;border-bottom:1px solid var(--line);padding-bottom:.3rem;break-after:avoid}
h3{font-size:.9rem;font-weight:500;color:var(--quiet);margin:1rem 0 .2rem;break-after:avoid}
header .host{margin:0;font-weight:600;font-size:1.1rem}
header .when{margin:.2rem 0 0;color:var(--quiet)}
.reason{font-weight:600}
.good{color:var(--good)}.careful{color:var(--careful)}.bad{color:var(--bad)}
pre{background:var(--card);color:var(--ink);border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem;margin:.3rem 0 .6rem;white-space:pre-wrap}
code,pre{font:.92em/1.5 ui-monospace,monospace}
ol,ul{margin:0;padding:0;list-style:none}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:.7rem;margin:0}
.facts div{background:var(--card);color:var(--ink);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;break-inside:avoid}
.facts .bad{border-color:var(--bad)}
.facts .bad dd:not(.note){color:var(--bad);font-weight:600}
dt,.note{color:var(--quiet);font-size:.85rem}dd{margin:0}
.track{position:relative;height:.7rem;border-radius:.2rem;min-width:0}
.track.full{background:var(--line)}
.track i{position:absolute;top:0;bottom:0;left:0;border-radius:.2rem;background:currentColor}
.track i.used{background:var(--used)}.track i.quiet{background:var(--quiet)}
.phases li{display:grid;grid-template-columns:5.5rem 1fr 8.5rem;gap:.8rem;align-items:center;padding:.15rem 0;border-bottom:1px dotted var(--line);break-inside:avoid}
.phases .gap{display:block;color:var(--quiet);font-size:.85rem}
.took,.usage>span:first-child{color:var(--quiet);font-size:.9rem}
.datastores{display:grid;gap:1rem}
.datastores li{break-inside:avoid}
.datastores p{margin:0 0 .2rem}
.state{margin-left:.4rem}
.usage{display:grid;grid-template-columns:3.5rem 1fr 13rem;gap:.8rem;align-items:center}
.usage .none{grid-column:2/4;color:var(--bad)}
.status{white-space:nowrap}.checks li{display:grid;grid-template-columns:3.4rem 10.5rem 1fr;gap:.2rem .8rem;align-items:baseline;padding:.2rem 0;break-inside:avoid}
.checks .block .status{color:var(--bad);font-weight:600}.checks .warn .status{color:var(--careful);font-weight:600}
.checks .pass .status{color:var(--good)}
.checks .pass .seen,.checks .skip{color:var(--quiet)}
.packages{columns:24rem;column-gap:2rem;font-size:.9rem}
.packages li{padding-left:1rem;text-indent:-1rem;break-inside:avoid}
.packages b{font-weight:600}.packages span{color:var(--quiet);display:inline-block;max-width:100%;text-indent:0}
section>ul:not([class]) li{padding-left:1rem;text-indent:-1rem}
footer{margin-top:2.5rem;color:var(--quiet);font-size:.85rem}
@media screen and (max-width:38rem){h1{font-size:1.6rem}.facts{gap:.5rem}.phases li{grid-template-columns:4.5rem 1fr 5.5rem;gap:.5rem}.usage{grid-template-columns:3.2rem 1fr;gap:0 .8rem}.usage .took{grid-column:2}.usage .none{grid-column:2}.checks li{grid-template-columns:3.4rem 1fr}.checks .seen{grid-column:2}}
@media print{@page{margin:15mm}:root{font-size:9.5pt}body{max-width:none;padding:0}.phases{break-inside:avoid}.facts{grid-template-columns:repeat(3,1fr)}.packages{columns:2;font-size:.8rem}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
</style>`;
