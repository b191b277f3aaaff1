/** The page's one style sheet: neutral surfaces, colour only for what is abnormal, never without a sign and a word. */
export const STYLE = `
:root{color-scheme:light dark;--edge:color-mix(in srgb,currentColor 18%,transparent);--quiet:color-mix(in srgb,currentColor 72%,Canvas);
--bad:#b3261e;--warn:#8a5300;--soft:color-mix(in srgb,currentColor 5%,Canvas);
font:15px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
@media (prefers-color-scheme:dark){:root{--bad:#ff8a80;--warn:#ffb95c}}
*{box-sizing:border-box}body{margin:0;background:Canvas;color:CanvasText}a{color:inherit}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:Canvas;padding:.5rem;z-index:1}
header,main{max-width:78rem;margin:0 auto;padding:.75rem 1rem}header{border-bottom:1px solid var(--edge)}
.top{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 1rem}.top strong{font-size:1.1rem}.top .who{color:var(--quiet);flex:1;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem;list-style:none;margin:.5rem 0 0;padding:0}
nav a{display:flex;align-items:center;padding:.55rem .75rem;border-radius:.4rem;text-decoration:none;min-height:44px}
nav a:hover{background:var(--soft)}nav a[aria-current]{background:color-mix(in srgb,currentColor 10%,Canvas);font-weight:600}
h1{font-size:1.4rem;margin:.5rem 0 1rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:0 0 .5rem}h3{font-size:1rem;margin:1rem 0 .25rem}
section{border:1px solid var(--edge);border-radius:.5rem;margin:0 0 1rem;padding:.9rem 1rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:1rem;align-items:start}.grid section{margin:0}.grid{margin-bottom:1rem}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) 1fr;gap:.3rem 1rem;margin:0}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}th,td{padding:.4rem .9rem .4rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--edge)}
tr:last-child td{border-bottom:0}th{font-weight:500;color:var(--quiet);white-space:nowrap}td{overflow-wrap:anywhere}.n{font-variant-numeric:tabular-nums}summary{cursor:pointer}.t{white-space:nowrap}
small,.quiet{color:var(--quiet);font-size:.9em}code,pre{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}pre{white-space:pre-wrap;margin:0}
.s-off{color:var(--bad);font-weight:600}.s-warn{color:var(--warn);font-weight:600}.s-on::before{content:"● " / ""}.s-off::before{content:"✕ " / ""}.s-warn::before{content:"▲ " / ""}
.old{color:var(--quiet);font-style:italic}.note{border-left:.3rem solid var(--warn)}.note ul{margin:0;padding-left:1.1rem}.note li{margin:.35rem 0}
form.row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:.25rem 0 .75rem}form.row label{display:grid;gap:.15rem;flex:0 1 auto}label span{color:var(--quiet);font-size:.9em}
input,select,button,.button{font:inherit;min-height:44px;padding:.4rem .7rem;border:1px solid color-mix(in srgb,currentColor 45%,transparent);border-radius:.4rem;background:Canvas;color:inherit;max-width:100%}
button,.button{cursor:pointer;background:var(--soft);display:inline-flex;align-items:center;text-decoration:none}button:hover,.button:hover{background:color-mix(in srgb,currentColor 12%,Canvas)}
.plain{border:0;background:none;text-decoration:underline;padding:.4rem 0}:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}
.pages{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin-top:.75rem}.door{max-width:28rem;margin:10vh auto 0}.door form{display:grid;gap:.75rem}.door label{display:grid;gap:.25rem}
#silent{position:sticky;top:0;background:var(--bad);color:Canvas;padding:.5rem 1rem;z-index:1}#silent[hidden]{display:none}.is-silent main{opacity:.6}
@media (max-width:44rem){.cards thead{position:absolute;left:-99rem}.cards tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--edge)}.cards tr:last-child{border:0}
.cards td{display:grid;grid-template-columns:7.5rem 1fr;gap:.5rem;border:0;padding:.12rem 0}.cards td::before{content:attr(data-label);color:var(--quiet)}.cards td:empty{display:none}
.cards td:first-child{font-weight:600}main,header{padding:.6rem .8rem}form.row label,form.row input,form.row select{width:100%}dl{grid-template-columns:7.5rem 1fr}}
@media print{nav,form,.plain{display:none}}
`

/**
 * Makes what is live on the page new every 5 s without touching forms or the reader's place, says at once when the edge does
 * not answer, and signs in with a token from the fragment of the address, which no server and no log sees. Without it the page
 * works by loading it anew.
 */
export const SCRIPT = `'use strict'
const token = /^#token=([\\w-]+)$/.exec(location.hash)
if (token) {
  history.replaceState(null, '', location.pathname + location.search)
  const field = document.querySelector('#token')
  if (field) {
    field.value = token[1]
    field.form.submit()
  }
}
for (const field of document.querySelectorAll('select[data-go]')) field.addEventListener('change', () => field.form.submit())
const silent = document.querySelector('#silent')
let seenAt = new Date()
const labelOf = (element) => element && (element.id || element.getAttribute('href') || element.textContent)
function renew(fresh) {
  const focused = labelOf(document.activeElement)
  const next = fresh.querySelectorAll('[data-live]')
  const now = document.querySelectorAll('[data-live]')
  if (next.length !== now.length) return location.reload()
  now.forEach((element, i) => {
    const hadFocus = element.contains(document.activeElement)
    const open = [...element.querySelectorAll('details')].map((one) => one.open)
    element.innerHTML = next[i].innerHTML
    element.querySelectorAll('details').forEach((one, k) => { one.open = open[k] === true })
    if (hadFocus) [...element.querySelectorAll('a,button,summary')].find((one) => labelOf(one) === focused)?.focus()
  })
}
async function look() {
  if (document.hidden || String(getSelection()) !== '') return
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(4000) })
    if (new URL(answer.url).pathname === '/login') return location.assign(answer.url)
    if (!answer.ok) throw new Error(String(answer.status))
    renew(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    seenAt = new Date()
    silent.hidden = true
  } catch {
    silent.querySelector('time').textContent = seenAt.toLocaleTimeString(document.documentElement.lang)
    silent.hidden = false
  }
  document.body.classList.toggle('is-silent', !silent.hidden)
}
if (document.querySelector('[data-live]')) setInterval(look, 5000)
`
