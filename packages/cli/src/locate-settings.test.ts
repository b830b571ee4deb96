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

it.each([
  [['optimizer', '0', 'weightDecay'], '--set optimizer.weightDecay=-1'],
  [['model'], '--set model.use=brt'],
  [['model', 'hiddenSize'], 'run.yaml:2'],
  [['objective', 'label'], '--set objective.label.x=3'],
  [['objective', 'text'], 'run.yaml:2, changed by --set objective.text.x=3'],
  [['objective'], 'run.yaml:1'],
  [['metric', '1'], 'run.yaml:2'],
])('locateSettings names the setting that changed %p', (path, expected) => {
  const settings = [
    'optimizer.weightDecay=-1',
    'model.use=brt',
    'objective.label.x=3',
    'objective.text.x=3',
    'metric.0=f1',
  ]
  const config = { model: { use: 'bert' }, objective: { text: 'body' } }
  expect(locateSettings((at) => `run.yaml:${at.length}`, settings, config)(path)).toBe(expected)
})
