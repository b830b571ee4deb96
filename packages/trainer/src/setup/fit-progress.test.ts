import { expect, it } from '@jest/globals'
import type { UntimedEvent } from '@attune/core'
import { fitProgress } from './fit-progress.js'

it('reports long phases at most twice a second, with the time since the phase began', () => {
  const emitted: UntimedEvent[] = []
  let time = 10_000
  const report = fitProgress(
    'tokenizer bpe',
    (event) => emitted.push(event),
    () => time,
  )
  for (let done = 1; done <= 20; done++, time += 100) report('texts read', done)
  for (let done = 1; done <= 3; done++, time += 200) report('tokens learned', done, 9)
  for (let done = 4; done <= 9; done++, time += 200) report('tokens learned', done, 9)
  const plugin = 'tokenizer bpe'
  expect(emitted).toEqual([
    { type: 'fit.progressed', plugin, phase: 'texts read', done: 6, seconds: 0.5 },
    { type: 'fit.progressed', plugin, phase: 'texts read', done: 11, seconds: 1 },
    { type: 'fit.progressed', plugin, phase: 'texts read', done: 16, seconds: 1.5 },
    { type: 'fit.progressed', plugin, phase: 'tokens learned', done: 4, total: 9, seconds: 0.6 },
    { type: 'fit.progressed', plugin, phase: 'tokens learned', done: 7, total: 9, seconds: 1.2 },
  ])
})
