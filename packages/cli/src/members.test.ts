import { expect, it } from '@jest/globals'
import { classifierFolder } from './classifier.test.fixture.js'

const { attune } = classifierFolder()

it('attune bag prints the out-of-bag scores of an ensemble, which predict and evaluate open', async () => {
  const given = ['bag', 'config.yaml', '--members', '2']
  const { code, out, err } = await attune(given)
  expect([code, err]).toEqual([0, expect.stringMatching(/^member 0 of 2 started\n[^]*member 1 completed after /)])
  expect(out).toMatch(/^Out of bag: \d+ of 30 training rows[^]*\nloss +\S+ *\naccuracy +\S+ *\n\nEvaluate the ensemble/)
  const [, folder = ''] = /npx attune evaluate (\S+)/.exec(out) ?? []
  expect((await attune(['evaluate', folder, '--split', 'validation', '--json'])).code).toBe(0)
  const answer = JSON.parse((await attune(['predict', folder, 'the cat purrs'])).out) as { label: string }
  expect(['animal', 'tool']).toContain(answer.label)
  const again = JSON.parse((await attune([...given, '--json'])).out) as object
  expect(again).toMatchObject({ because: 'finished', members: 2, outOfBag: { rows: 30 } })
})

it('attune boost prints the weights of the votes, and ends with the ensemble', async () => {
  const weak = ['--set', 'training.learningRate=0.003', '--directory', 'runs/boosted']
  const { code, out, err } = await attune(['boost', 'config.yaml', '--members', '2', ...weak])
  expect([code, err]).toEqual([0, expect.stringMatching(/member 0 completed after .*accuracy \S+, weight \d/)])
  expect(out).toMatch(/(Evaluate the ensemble: npx attune evaluate \S*runs\/boosted\/ensemble|^Ended early: member \d)/)
})
