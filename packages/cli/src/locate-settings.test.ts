import { expect, it } from '@jest/globals'
import { locateSettings } from './locate-settings.js'

it('locateSettings names the last setting of a value, and the line of any other value', () => {
  const settings = ['training.epochs=0', 'metric=[acuracy]', 'training.epochs=-1']
  const locate = locateSettings((path) => `run.yaml:${path.length}`, settings)
  expect(locate(['training', 'epochs'])).toBe('--set training.epochs=-1')
  expect(locate(['metric', 0])).toBe('--set metric=[acuracy]')
  expect(locate(['training', 'batchSize'])).toBe('run.yaml:2')
  expect(locate(['training'])).toBe('run.yaml:1')
})
