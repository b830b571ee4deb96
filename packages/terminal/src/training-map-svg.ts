import { type CellState, type MapPart, type MapRow, cellOf, mapColumns, mergedRows } from './training-map.js'

/** Models with more groups are drawn with the layers that look the same in one row. */
const MOST_ROWS = 26
const [NAME, CELL, ROW, GAP, TITLE] = [92, 58, 15, 28, 42]

const STYLE = `text { font: 11px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; font-size: 13px }
.value { font-size: 9px; text-anchor: middle }
.label { font-size: 9px; text-anchor: end }
text.on-bar { fill: #ffffff }
.frozen { fill: #8c959f; fill-opacity: 0.18 }
.full, .partial { fill: #0969da }
.adapter { fill: #bf8700 }
@media (prefers-color-scheme: dark) { text { fill: #9da7b3 } .full, .partial { fill: #58a6ff } .adapter { fill: #d29922 } }`

/** A titled training map. */
export interface TitledMap {
  readonly title: string
  readonly rows: readonly MapRow[]
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`)
const rectangle = (state: CellState, [x, y, width]: readonly [number, number, number]): string =>
  `<rect class="${state}" x="${x}" y="${y}" width="${width}" height="${ROW - 3}" rx="2"/>`

/** A cell: its background, the share that trains as a bar, and its label. */
function drawCell(part: MapPart, x: number, y: number): string {
  const { state, label } = cellOf(part)
  const width = CELL - 4
  const share =
    state === 'full' ? 1 : state === 'frozen' ? 0 : (part.trainable + part.added) / Math.max(1, part.parameters)
  const bar = share === 0 ? '' : rectangle(state, [x, y, Math.max(3, Math.round(width * Math.min(1, share)))])
  const isOnBar = share > 0.6 ? ' on-bar' : ''
  const value = label === '' ? '' : `<text class="label${isOnBar}" x="${x + width - 4}" y="${y + 10}">${label}</text>`
  return rectangle('frozen', [x, y, width]) + bar + value
}

/** The group of one map, without its position. */
function drawMap({ title, rows: all }: TitledMap, columns: readonly string[]): string {
  const rows = all.length > MOST_ROWS ? mergedRows(all) : all
  const heads = columns.map(
    (column, i) =>
      `<text class="value" x="${NAME + i * CELL + CELL / 2 - 2}" y="${TITLE - 6}">${escaped(column)}</text>`,
  )
  const lines = rows.map(({ name, parts }, i) => {
    const y = TITLE + i * ROW
    const cells = columns.map((column, j) => {
      const part = parts[column]
      return part === undefined ? '' : drawCell(part, NAME + j * CELL, y)
    })
    return `<text x="${NAME - 8}" y="${y + 10}" text-anchor="end">${escaped(name)}</text>${cells.join('')}`
  })
  return [`<text class="title" x="${NAME}" y="16">${escaped(title)}</text>`, ...heads, ...lines].join('\n')
}

const LEGEND = [
  ['full', 'trains'],
  ['adapter', 'adapter: added parameters, relative to those of the cell'],
  ['frozen', 'frozen'],
] as const

/**
 * Draws training maps as an SVG image, `perRow` of them in a row: what trains in each layer group (rows) and kind of parameter
 * (columns). The bar of a cell is the share that trains.
 */
export function trainingMapSvg(maps: readonly TitledMap[], perRow = 3): string {
  const columns = mapColumns(maps.flatMap(({ rows }) => rows))
  const shown = maps.map(({ rows }) => (rows.length > MOST_ROWS ? mergedRows(rows) : rows).length)
  const [width, height] = [NAME + columns.length * CELL + GAP, TITLE + Math.max(1, ...shown) * ROW + GAP]
  const across = Math.min(perRow, maps.length)
  const down = Math.ceil(maps.length / perRow)
  const panels = maps.map(
    (map, i) =>
      `<g transform="translate(${(i % perRow) * width} ${Math.floor(i / perRow) * height})">\n${drawMap(map, columns)}\n</g>`,
  )
  const y = down * height - GAP / 2
  const legend = LEGEND.map(
    ([state, text], i) =>
      `${rectangle(state, [NAME + i * 80 + (i > 1 ? 270 : 0), y, 18])}<text x="${NAME + i * 80 + (i > 1 ? 270 : 0) + 24}" y="${y + 10}">${text}</text>`,
  )
  const total = Math.max(across * width, NAME + 520)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${down * height + 12}" role="img" aria-label="Parameters that train, by layer group and kind: ${escaped(maps.map(({ title }) => title).join(', '))}">
<style>
${STYLE}
</style>
${[...panels, ...legend].join('\n')}
</svg>
`
}
