/** Light and dark by what the reader's system says, narrow and wide, and on paper. */
export const STYLE = `
:root{--paper:#fff;--ink:#1c2024;--quiet:#60676f;--line:#dfe3e8;--card:#f6f7f9;--good:#1a7f4b;--careful:#9a6700;--bad:#c62f2f}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e9ec;--quiet:#98a2ad;--line:#2c333a;--card:#1d2226;--good:#4fc286;--careful:#e0a92e;--bad:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:1.5rem 1rem 3rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header{border-left:.4rem solid currentColor;padding:.2rem 0 .2rem 1rem;margin-bottom:1.5rem}
header.good{color:var(--good)}header.careful{color:var(--careful)}header.bad{color:var(--bad)}
header p,header pre{color:var(--ink)}
h1{margin:0;font-size:2.2rem;line-height:1.15}
h2{font-size:1.05rem;margin:2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
.host{margin:0;font-weight:600;font-size:1.1rem}.when{margin:.2rem 0 0;color:var(--quiet)!important}
.reason{font-weight:600}
pre{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;overflow-x:auto;margin:.4rem 0}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr));gap:.7rem;margin:0}
dl div{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem}
dt{color:var(--quiet);font-size:.85rem}dd{margin:0;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse}
th{text-align:left;font-weight:500;padding:.3rem .8rem .3rem 0;white-space:nowrap;vertical-align:top}
td{padding:.3rem 0 .3rem .8rem;overflow-wrap:anywhere}
td.bar{width:55%}
td.bar i,u{display:block;height:.7rem;border-radius:.2rem}
td.bar i.good{background:var(--good)}td.bar i.bad{background:var(--bad)}
u{background:var(--line);text-decoration:none;margin:.25rem 0}
u+u{height:.9rem}u+u i{height:.9rem}
td.bad{color:var(--bad)}td.careful{color:var(--careful)}
ul{padding-left:1.1rem;margin:.4rem 0}
ul.packages{columns:20rem;column-gap:2rem;font-size:.92rem;overflow-wrap:anywhere}
footer{margin-top:2.5rem;color:var(--quiet);font-size:.85rem}
@media (max-width:34rem){h1{font-size:1.8rem}td.bar{width:34%}.phases td:last-child{white-space:nowrap}}
@media print{body{max-width:none;padding:0;font-size:11pt}dl div,pre{background:none}section{break-inside:avoid}*{print-color-adjust:exact}}
`;
