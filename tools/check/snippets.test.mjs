// @ts-check
/** Tests of the checks of fences, configurations, command lines and examples. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Command } from 'commander'
import { mentionsInSource, mentionsOnPage, problemsOf } from './command-lines.mjs'
import { examplesIn, expectedOutput, missingOutput } from './examples.mjs'
import { fencesIn, withoutFences } from './fences.mjs'
import { merged, pageConfigs } from './page-configs.mjs'
import { programsOf } from './page-programs.mjs'
import { shellCommands } from './shell-words.mjs'

const fence = (/** @type {string} */ info, /** @type {string} */ code) => `\`\`\`${info}\n${code}\n\`\`\`\n`

describe('fences', () => {
  const page = `# Page\n\n${fence('ts no-run', 'a()')}\n- item\n\n  ${fence('csv file=a.csv', '  x\n  y').replace(/```\n$/, '  ```\n')}`
  it('have a language, marks, a file and the line of their code', () =>
    assert.deepEqual(fencesIn(page), [
      { language: 'ts', marks: ['no-run'], file: undefined, code: 'a()\n', line: 4 },
      { language: 'csv', marks: ['file=a.csv'], file: 'a.csv', code: 'x\ny\n', line: 10 },
    ]))
  it('are blanked without changing line numbers', () => {
    const rest = withoutFences(page)
    assert.equal(rest.split('\n').length, page.split('\n').length)
    assert.doesNotMatch(rest, /a\(\)/)
  })
})

describe('programs of a page', () => {
  const text = [
    fence('ts', "run({ training: { epochs: 3 } }, 'train.jsonl.gz')"),
    fence('jsonl file=rows.jsonl', '{}'),
    fence('ts', 'first()'),
    fence('ts part', 'second()'),
    fence('ts no-run', 'third()'),
  ].join('\n')
  const programs = programsOf({ path: 'docs/guides/lora.md', text })
  it('are shortened, continued by parts, and compiled only where they say so', () =>
    assert.deepEqual(
      programs.map(({ code, runs }) => [code, runs]),
      [
        ["run({ training: { epochs: 1 } }, 'test.jsonl.gz')\n", true],
        ['first()\nsecond()\n', true],
        ['third()\n', false],
      ],
    ))
  it('share a folder, and find the files that fences before them hold', () => {
    assert.deepEqual([...new Set(programs.map(({ folder }) => folder))], ['guides-lora'])
    assert.deepEqual(
      programs.map(({ files }) => Object.keys(files ?? {})),
      [[], ['rows.jsonl'], ['rows.jsonl']],
    )
  })
})

describe('configurations of pages', () => {
  const validate = async (/** @type {Record<string, any>} */ config) => {
    if (config['training']?.epochs < 1) throw new Error('training.epochs: expected an integer ≥ 1, got 0')
  }
  const problems = async (/** @type {string} */ text) =>
    (await pageConfigs([{ path: 'a.md', text }], validate)).problems
  const whole = 'data: {}\ntokenizer: word\nmodel: lstm\nobjective: x'
  it('are validated', async () => {
    assert.deepEqual(await problems(fence('yaml', whole)), [])
    assert.deepEqual(await problems(fence('yaml', `${whole}\ntraining: { epochs: 0 }`)), [
      'a.md:2: training.epochs: expected an integer ≥ 1, got 0',
    ])
  })
  it('must be whole or marked', async () => {
    assert.match(
      String(await problems(fence('yaml', 'training: { epochs: 1 }'))),
      /lacks data, tokenizer, model, objective/,
    )
    assert.match(String(await problems(fence('yaml part', 'training: { epochs: 0 }'))), /expected an integer/)
    assert.deepEqual(await problems(fence('yaml no-check', 'on: push')), [])
  })
  it('replace plugins as a whole and merge other records', () =>
    assert.deepEqual(
      merged(
        { model: { use: 'bert', hiddenSize: 8 }, data: { train: 'a' } },
        { model: { use: 'gpt2' }, data: { test: 'b' } },
      ),
      { model: { use: 'gpt2' }, data: { train: 'a', test: 'b' } },
    ))
})

describe('shell commands', () => {
  it('are split at operators outside quotes, without comments and redirections', () =>
    assert.deepEqual(shellCommands('a --x "b | c" > out.txt && d \\\n  <file> # e\nf'), [
      ['a', '--x', 'b | c'],
      ['d', '<file>'],
      ['f'],
    ]))
})

describe('command lines', () => {
  const train = new Command('train')
    .argument('<target>')
    .option('--resume')
    .option('--set <setting>')
    .option('-n, --number <n>')
  const list = new Command('list')
  const shell = new Command('completion')
  shell.addArgument(shell.createArgument('<shell>').choices(['bash', 'zsh']))
  const program = new Command('attune')
    .addCommand(train)
    .addCommand(new Command('plugins').addCommand(list))
    .addCommand(shell)
  const onPage = (/** @type {string} */ text) =>
    mentionsOnPage({ path: 'a.md', text }).flatMap((mention) => problemsOf(program, mention))
  it('accept what the program knows', () =>
    assert.deepEqual(
      onPage(
        `${fence('sh', 'FOO=1 npx attune train a.yaml --set x=1 -n 3 | tee log\nnpx attune plugins list\nnpx attune --help')}
        Run \`npx attune train\`, or npx attune plugins list. To resume, add --other.`,
      ),
      [],
    ))
  /** @type {[string, string, RegExp][]} */
  const wrong = [
    ['an unknown command', '`npx attune fit`', /unknown command fit/],
    ['an unknown subcommand', '`attune plugins remove`', /unknown command remove/],
    ['an unknown option in prose', 'Use npx attune train --fast.', /train has no option --fast/],
    ['an unknown option in a fence', fence('sh', 'npx attune train a --fast=1'), /a\.md:2: .*no option --fast/],
    ['a missing argument', fence('sh', 'npx attune train --set x=1'), /expected 1 arguments, got 0/],
    ['another choice', fence('sh', 'npx attune completion tcsh'), /expected bash or zsh, got tcsh/],
  ]
  for (const [title, text, expected] of wrong)
    it(`rejects ${title}`, () => assert.match(onPage(text).join('\n'), expected))
  it('are found in strings and templates of sources, but not in comments', () => {
    const source = `// npx attune nothing
      const remedy = 'Run \`npx attune plugins list\`.'
      const hint = \`Resume:  npx attune train --resume \${folder}\``
    assert.deepEqual(mentionsInSource('a.ts', source), [
      { at: 'a.ts:2', words: ['plugins', 'list'], complete: false },
      { at: 'a.ts:3', words: ['train', '--resume', 'VALUE'], complete: false },
    ])
  })
})

describe('examples', () => {
  it('are the fences after @example', () => {
    const source = `/** No example. */\n\n/**\n * Adds.\n * @example\n * \`\`\`ts\n * console.log(1) // 1\n * \`\`\`\n * @throws Error\n */`
    assert.deepEqual(examplesIn('a.ts', source), {
      examples: [{ at: 'a.ts:5', code: 'console.log(1) // 1\n', runs: true, expected: ['1'] }],
      problems: [],
    })
  })
  it('must be in a fence', () =>
    assert.deepEqual(examplesIn('a.ts', '/**\n * @example\n * add(1)\n */').problems, [
      'a.ts:2: expected a ```ts fence after @example',
    ]))
  it('say what they print in comments beside or below', () =>
    assert.deepEqual(
      expectedOutput(
        "f('a') // note\nconsole.log(a) // 1\nconsole.log(\n  b,\n) // 2\nconsole.log(c)\n// 3\n// 4\n\n// 5",
      ),
      ['1', '2', '3', '4'],
    ))
  it('are compared with their output in order, ignoring spaces and commas', () => {
    assert.deepEqual(missingOutput(['[ 5, 6 ], then [ 7 ]', 'a, b'], '[ 5, 6 ]\n[ 7 ]\nnote\na\nb\n'), [])
    assert.deepEqual(missingOutput(['2', '1'], '1\n2\n'), ['1'])
    assert.deepEqual(missingOutput(['1'], '10\n'), ['1'])
  })
})
