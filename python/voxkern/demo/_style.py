"""How the report looks: light, one column on a phone, print-friendly."""

CSS = """
:root{--ink:#1f2d38;--soft:#5d6d7a;--line:#dfe5ea;--good:#00795a;--bad:#b34a00}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1080px;margin:0 auto;padding:1rem}
h1{font-size:1.75rem;line-height:1.2;margin:.1em 0 .4em}
h2{font-size:1.2rem;margin:2.4em 0 .4em;padding-top:.7em;border-top:1px solid var(--line)}
p{max-width:46em;margin:.4em 0 1em}
.brand{color:var(--soft);margin:.6em 0 0;letter-spacing:.03em}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:.8rem;
margin-top:1.4rem}
.card{border:1px solid var(--line);border-left:4px solid #9fb0bd;border-radius:6px;
padding:.7rem .9rem}
.card b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}
.card span,.card em{display:block;font-size:.85rem;line-height:1.35;color:var(--soft);
font-style:normal}
.card.good{border-left-color:var(--good)}.card.good em{color:var(--good)}
.card.bad{border-left-color:var(--bad)}.card.bad em{color:var(--bad)}
figure{margin:1.2rem 0}
.row{display:grid;gap:.5rem;grid-template-columns:var(--w);align-items:end}
.row img{width:100%;display:block;border-radius:3px;background:#000}
.row.n4 img{background:#fff}
.row span{font-size:.8rem;color:var(--soft)}
.picture{position:relative}
.picture b{position:absolute;top:.15rem;left:.4rem;font-size:.8rem;color:#fff;
text-shadow:0 0 3px #000}.picture b+b{left:auto;right:.4rem}
figcaption{overflow-wrap:anywhere;font-size:.9rem;margin-top:.25rem}
figcaption i{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.1em}
i.found{background:#e69f00}i.true{background:#56b4e9}
.chart img{width:100%;max-width:760px;display:block}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;margin:.5rem 0}
th{text-align:right;color:var(--soft);font-weight:600}
th:first-child,td:first-child{text-align:left;padding-left:0}
td,th{padding:.22rem .9rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
td+td{white-space:nowrap}table.words td{white-space:normal}
table.words td,table.words th{text-align:left}
table.words td:nth-child(3),table.words th:nth-child(3){text-align:right}
small{color:var(--soft)}
code{font-size:.92em;background:#f3f6f8;padding:.05em .3em;border-radius:3px}
summary{cursor:pointer;color:var(--soft)}
.three{display:flex;flex-wrap:wrap;gap:1rem 3rem}
@media(max-width:620px){h1{font-size:1.4rem}.row.n4{grid-template-columns:repeat(2,1fr)}
.row{gap:.4rem}.row.n3{grid-template-columns:none;grid-auto-flow:column;grid-auto-columns:68%;
overflow-x:auto;scroll-snap-type:x proximity}
.row.n3>div{scroll-snap-align:start}td,th{padding:.22rem .4rem}}
@media print{h2{break-after:avoid}figure{break-inside:avoid}details{display:none}}
"""
