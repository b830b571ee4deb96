import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from '@jest/globals'
import { scheduled } from '@attune/core'
import { z } from 'zod'
import { completionScript } from './commands/completion.js'
import { stagesText } from './commands/data/data.js'
import { evaluationText } from './commands/evaluate.js'
import { errorPage } from './commands/explain.js'
import { classificationFields, recognizeRows } from './commands/init/recognize-rows.js'
import { optionRows } from './option-rows.js'
import { buildProgram } from './program.js'
import { withSettings } from './read-config.js'

describe('completion', () => {
  const complete = (line: string): string[] => {
    const words = line.split(' ')
    const script = `${completionScript('bash', buildProgram())}
COMP_WORDS=(${words.map((word) => `"${word}"`).join(' ')}); COMP_CWORD=${words.length - 1}; _attune; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
  }

  it('completes commands, subcommands and options in bash', () => {
    expect(complete('attune tr')).toEqual(['train'])
    expect(complete('attune plugins ')).toEqual(expect.arrayContaining(['list', 'info']))
    expect(complete('attune train --re')).toEqual(['--resume'])
    expect(complete('attune evaluate runs/one --sp')).toEqual(['--split'])
    expect(complete('attune plugins list --')).toEqual(expect.arrayContaining(['--kind', '--json']))
  })

  const has = (shell: string): boolean => spawnSync(shell, ['-c', ':']).status === 0

  if (has('zsh'))
    it('offers all words in zsh, which filters them itself', () => {
      const script = `autoload -Uz compinit && compinit -D -u; eval "$1"; emulate ksh
COMP_WORDS=(attune plugins list --); COMP_CWORD=3; _attune; print -r -- "\${COMPREPLY[@]}"`
      const words = completionScript('zsh', buildProgram())
      const options = { encoding: 'utf8', timeout: 300_000, input: '' } as const
      const { stdout, stderr } = spawnSync('zsh', ['-fc', script, 'zsh', words], options)
      expect([stdout.trim().split(' ').sort(), stderr]).toEqual([['--help', '--json', '--kind'], ''])
    })
  else it.skip('completes in zsh: zsh is not installed here', () => undefined)

  if (has('fish'))
    it('completes in fish', () => {
      const script = `${completionScript('fish', buildProgram())}\ncomplete -C "$argv[1]"`
      const completeIn = (line: string): string[] =>
        execFileSync('fish', ['-c', script, line], { encoding: 'utf8' }).trim().split('\n')
      expect(completeIn('attune tr')).toEqual(['train'])
      expect(completeIn('attune plugins list --k')).toEqual(['--kind'])
    })
  else it.skip('completes in fish: fish is not installed here', () => undefined)

  it('has a script for every listed shell, and rejects others', () => {
    for (const shell of ['bash', 'zsh', 'fish']) expect(completionScript(shell, buildProgram())).toContain('attune')
    expect(() => completionScript('cmd', buildProgram())).toThrow(/bash, zsh, fish/)
  })
})

describe('help', () => {
  it('has an example for every command', () => {
    const program = buildProgram()
    for (const command of program.commands.flatMap((each) => (each.commands.length > 0 ? each.commands : [each]))) {
      let shown = ''
      command.configureOutput({ writeOut: (text) => (shown += text) }).outputHelp()
      expect([command.name(), /Examples?:/.test(shown)]).toEqual([command.name(), true])
    }
  })
})

describe('--set', () => {
  it('sets values of any type at any depth without changing the original', () => {
    const config = { training: { epochs: 1 }, model: 'bert' }
    expect(
      withSettings(config, ['training.epochs=5', 'model.hiddenSize=16', 'metric=[accuracy, f1]', 'directory=a=b']),
    ).toEqual({
      training: { epochs: 5 },
      model: { use: 'bert', hiddenSize: 16 },
      metric: ['accuracy', 'f1'],
      directory: 'a=b',
    })
    expect(config).toEqual({ training: { epochs: 1 }, model: 'bert' })
  })

  it.each(['epochs', '=3', '__proto__.x=1', 'a.constructor.b=1'])('rejects %s', (setting) =>
    expect(() => withSettings({}, [setting])).toThrow(/key.path=value/),
  )
  it('accepts a key that contains a rejected one', () =>
    expect(withSettings({}, ['objective.prototypes=4'])).toEqual({ objective: { prototypes: 4 } }))
  it.each(['a=[*b]', 'a=}', 'a={ [b]: 1 }', 'a={ b: 1, b: 2 }'])('rejects %j, whose value is invalid YAML', (setting) =>
    expect(() => withSettings({}, [setting])).toThrow(expect.objectContaining({ code: 'BAD_USAGE' })),
  )
})

describe('option rows', () => {
  it('contain type, range, default and description', () => {
    const schema = z.strictObject({
      share: scheduled(z.number().min(0).lt(1).default(0.5)).describe('a share'),
      mode: z.enum(['a', 'b']).describe('a mode'),
      names: z.array(z.string()).optional().describe('names'),
    })
    expect(optionRows(schema)).toEqual([
      {
        name: 'share',
        type: 'number, ≥ 0, < 1',
        default: '0.5',
        required: false,
        scheduled: true,
        description: 'a share',
      },
      { name: 'mode', type: 'a | b', default: '', required: true, scheduled: false, description: 'a mode' },
      { name: 'names', type: 'list of string', default: '', required: false, scheduled: false, description: 'names' },
    ])
  })
})

describe('tables', () => {
  it('show an evaluation with its breakdown by label, highest support first', () => {
    const parts = { b: { f1: 0.5, support: 2 }, a: { f1: 1, support: 9 } }
    const text = evaluationText({
      split: 'test',
      scores: { loss: { value: 1 }, f1: { value: 0.75, parts } },
      examples: 11,
      truncated: 2,
      rejected: 1,
      warnings: [],
      seconds: 1.25,
    })
    expect(text.split('\n')).toEqual([
      'test: 11 examples in 1.3 s, 2 texts truncated, 1 rows rejected',
      '',
      'score   value',
      'loss   1.0000',
      'f1     0.7500',
      '',
      'f1 by label',
      'label     f1  support',
      'a      1.000        9',
      'b      0.500        2',
    ])
  })
})

describe('the table of data stages', () => {
  const stage = { stage: 'filter duplicates', kind: 'filter', examplesIn: 4000, examplesOut: 3990, seconds: 0.25 }

  it('shows examples, time, file, and the reasons of filters', () => {
    const made = { ...stage, because: { duplicate: 10 }, path: '/cache/1.jsonl', reused: false }
    const lines = stagesText([made, { ...stage, reused: true, path: '/cache/2.jsonl' }]).split('\n')
    expect(lines[1]).toMatch(/^filter duplicates +4,000 +3,990 +\S+ m?s +made +\/cache\/1\.jsonl$/)
    expect(lines[2]).toMatch(/reused +\/cache\/2\.jsonl$/)
    expect(lines[3]).toBe('filter duplicates left out 10: duplicate')
    expect(stagesText([{ ...stage, reused: false }])).toContain('not kept')
  })

  it('reports that there is nothing to prepare', () => expect(stagesText([])).toMatch(/^Nothing to prepare/))
})

describe('attune explain', () => {
  it('returns the page of a code, in either case', () => {
    expect(errorPage('BAD_CONFIG')).toMatch(/^# BAD_CONFIG\n[^]*## What to do/)
    expect(errorPage('bad_config')).toBe(errorPage('BAD_CONFIG'))
  })

  it('throws with the nearest code for an unknown one', () => {
    expect(() => errorPage('BAD_CONFG')).toThrow(expect.objectContaining({ remedy: 'Did you mean BAD_CONFIG?' }))
    expect(() => errorPage('../README')).toThrow(/expected an error code/)
  })
})

describe('recognizing rows', () => {
  it('takes the longest text and the label with the fewest values', () => {
    const rows = [
      { id: '1', review: 'a long text that goes on', stars: 'good', note: 'x' },
      { id: '2', review: 'another long text here', stars: 'bad' },
      { id: '3', review: 'and a third one of them', stars: 'good', note: 'y' },
    ]
    expect(classificationFields(rows)).toEqual({ text: 'review', label: 'stars' })
    expect(classificationFields([{ only: 'text' }])).toBeUndefined()
  })

  it.each([
    ['chat messages', { messages: [{ role: 'user', content: 'Hello' }] }, undefined],
    ['chat messages', { conversations: [{ from: 'human', value: 'Hello' }] }, undefined],
    ['Alpaca instructions', { instruction: 'Add', input: '1 1', output: '2' }, 'sequence-to-sequence'],
    ['prompts and completions', { prompt: 'One', completion: 'two' }, 'sequence-to-sequence'],
    ['sources and targets', { article: 'Long', summary: 'short' }, 'sequence-to-sequence'],
    ['words and tags', { tokens: ['a', 'b'], ner_tags: ['O', 'O'] }, 'token-classification'],
    ['pairs of texts', { query: 'who', positive: 'me' }, 'contrastive'],
    ['plain texts', { text: 'Once' }, 'causal-language-modeling'],
    ['texts and labels', { text: 'Once', label: 3 }, 'sequence-classification'],
  ])('finds %s', (layout, row, task) => {
    expect(recognizeRows([row, row])).toMatchObject({ layout, task })
  })

  it('reads the second text of entailment pairs', () => {
    const row = { premise: 'It rains.', hypothesis: 'It is wet.', label: 'entailment' }
    expect(classificationFields([row])).toEqual({ text: 'premise', pair: 'hypothesis', label: 'label' })
  })
})
