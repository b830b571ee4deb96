import type { InspectedBatch, InspectedCounts, InspectedRow, InspectedToken } from '@attune/trainer/node'
import { countRows, headingOf, markOf, numbered, spelled } from './inspect-text.js'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes a text for HTML, also within quoted attributes. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)

const STYLE = `
:root { color-scheme: light dark; font: 14px/1.9 system-ui, sans-serif }
body { max-width: 80rem; margin: 2rem auto; padding: 0 1rem }
.t { font-family: ui-monospace, monospace; padding: 1px 3px; border-radius: 3px; white-space: pre-wrap }
.trained { background: #2e7d3233; border-bottom: 2px solid #2e7d32 }
.masked { background: #8e24aa33; border-bottom: 2px dashed #8e24aa }
.special { color: #0277bd }
.padding { opacity: .35 }
.label { color: #b26a00; font-size: 85% }
.segment { border: 1px solid; border-radius: 8px; padding: 0 5px; font-size: 75% }
.truncation { color: #c62828; font-weight: bold }
h3 { margin: .8rem 0 0; font-size: 1rem }
td { padding-right: 2rem }`

const span = (classes: string, text: string, title = ''): string =>
  `<span class="${classes}"${title === '' ? '' : ` title="${escaped(title)}"`}>${escaped(text)}</span>`

function tokenHtml(token: InspectedToken, position: number): string {
  const { role, trained, label, truncated, masked } = token
  const facts = [`position ${position}`, ...(trained > 0 ? [`loss weight ${Number(trained.toPrecision(3))}`] : [])]
  const mark = role === 'padding' ? 'padding' : markOf(token)
  const shown = span(`t ${mark}`, spelled(token), [...facts, ...(masked === undefined ? [] : ['masked'])].join(', '))
  const scissors = span('truncation', '✂', 'truncated here')
  const labelled = label === undefined ? shown : `${shown}${span('label', label)}`
  return truncated === undefined
    ? labelled
    : truncated === 'after'
      ? `${labelled} ${scissors}`
      : `${scissors} ${labelled}`
}

function rowHtml(row: InspectedRow, number: number): string {
  const shown = row.tokens.map((token, i) => {
    const isFirst = token.segment !== undefined && token.segment !== row.tokens[i - 1]?.segment
    const before = isFirst ? `${span('segment', String(token.segment), 'packed text')} ` : ''
    return `${before}${tokenHtml(token, i)}`
  })
  return `<h3>${escaped(headingOf(row, number))}</h3>\n<div>${shown.join(' ')}</div>`
}

const LEGEND = [
  span('t trained', 'trained'),
  span('t masked', 'shown←masked'),
  span('t special', 'special'),
  `${span('t', 'word')}${span('label', 'label')}`,
  span('t padding', 'padding'),
  `${span('segment', 'n')} packed text n`,
  `${span('truncation', '✂')} truncated here`,
].join(' ')

/** Batches as one HTML page without scripts or external resources; all texts of the data are escaped. */
export function inspectedHtml(batches: readonly InspectedBatch[], all: InspectedCounts, rows: number, title: string) {
  const sections = batches.map((batch, i) => {
    const shown = numbered(batch).filter(([number]) => number <= rows)
    return `<h2>Batch ${i + 1}</h2>\n${shown.map(([number, row]) => rowHtml(row, number)).join('\n')}`
  })
  const counts = countRows(all).map(
    ([name = '', value = '']) => `<tr><td>${escaped(name)}</td><td>${escaped(value)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${LEGEND}</p>
<table>${counts.join('')}</table>
${sections.join('\n')}
</body>
</html>
`
}
