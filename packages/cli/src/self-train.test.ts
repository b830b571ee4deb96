import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { classifierFolder } from './classifier.test.fixture.js'

const { root, attune } = classifierFolder()

it('attune self-train prints each round, marks the best one, and rejects a threshold that no row reaches', async () => {
  const given = ['self-train', 'config.yaml', '--unlabelled', 'more.jsonl', '--threshold', '0.6', '--balanced']
  const { code, out, err } = await attune(given)
  expect(code).toBe(0)
  expect(err).toMatch(/round 0 of 1 started\nround 0 completed after [^]*round 1: \d+ of \d+ rows labelled: /)
  expect(out).toMatch(
    /^round +validation accuracy\n +0 .*\n +1 [^]*npx attune evaluate \S*runs\/topics\/rounds\/[01]\n$/,
  )
  expect(out.match(/← best/g)).toHaveLength(1)
  expect(JSON.parse((await attune([...given, '--json'])).out)).toMatchObject({
    because: 'finished',
    metric: 'accuracy',
  })
  expect(readFileSync(join(root, 'runs/topics/train-1.jsonl'), 'utf8').split('\n').length).toBeGreaterThan(31)
  const unsure = await attune([...given.slice(0, 4), '--threshold', '1', '--directory', 'runs/unsure'])
  expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining('NOTHING_CONFIDENT')])
})
