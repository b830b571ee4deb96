/** The page: plots the loss during training, then lists predictions. */
import { opfsFiles } from '@attune/files/opfs'
import { type Demonstration, demonstrate } from './demonstrate.js'
import type { Row } from './fine-tune.js'

const STEPS = 48
const [WIDTH, HEIGHT] = [600, 200]

const element = (id: string): Element => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no element "${id}"`)
  return found
}

/** Plots the losses so far; the loss axis starts at zero. */
function draw(losses: readonly number[]): void {
  const maximum = Math.max(...losses)
  const points = losses.map((loss, i) => `${(i / (STEPS - 1)) * WIDTH},${HEIGHT * (1 - loss / maximum)}`)
  element('curve').setAttribute('points', points.join(' '))
}

/** Lists some predictions next to the labels. */
function show(rows: readonly Row[], { predictions, saved, accuracy }: Demonstration): void {
  const table = element('predictions')
  for (const [i, { text, label }] of rows.slice(0, 8).entries()) {
    const row = document.createElement('tr')
    const { label: predicted, scores } = predictions[i]!
    for (const cell of [text.slice(0, 70), label, `${predicted} (${scores[predicted]!.toFixed(2)})`])
      row.appendChild(document.createElement('td')).textContent = cell
    table.appendChild(row)
  }
  element('status').textContent =
    `Accuracy on the training texts: ${accuracy.toFixed(2)}. Saved in this browser and loaded again: ${saved.join(', ')}.`
}

/** Runs the demonstration in this page. */
async function main(): Promise<Demonstration> {
  const rows = (await (await fetch('rows.json')).json()) as Row[]
  const root = await navigator.storage.getDirectory()
  const files = opfsFiles(await root.getDirectoryHandle('attune-model', { create: true }))
  const losses: number[] = []
  const result = await demonstrate(rows, files, STEPS, async (step, loss) => {
    losses.push(loss)
    draw(losses)
    element('status').textContent = `Step ${step} of ${STEPS}: loss ${loss.toFixed(3)}`
    await new Promise((resolve) => setTimeout(resolve)) // lets the page render
  })
  show(rows, result)
  return result
}

const finished = main().then(
  (result) => ({ result }),
  (error: unknown) => ({ error: String((error as Error).stack ?? error) }),
)
/** The result or error, read by the test. */
Object.assign(window, { finished })
void finished.then(({ ...outcome }) => {
  if ('error' in outcome) element('status').textContent = outcome.error
})
