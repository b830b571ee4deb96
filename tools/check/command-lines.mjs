// @ts-check
/**
 * Checks that every `npx attune …` in pages, and in the strings that the packages print, names a command and options that the program
 * knows. In `sh` fences the number of arguments and the values with a fixed set of choices are checked too.
 */
import ts from 'typescript'
import { fencesIn, withoutFences } from './fences.mjs'
import { sourcesOf } from './packages.mjs'
import { shellCommands } from './shell-words.mjs'

/** @typedef {import('commander').Command} Command */
/** A mention of the program: its words after `attune`; `complete` if it is meant to be run as it stands. @typedef {{ at: string, words: string[], complete: boolean }} Mention */

/** Stands for an interpolated value. */
const VALUE = 'VALUE'

/** The mentions in lines of a shell. @param {string} code @param {string} at @param {boolean} complete @returns {Mention[]} */
const inShell = (code, at, complete) =>
  shellCommands(code).flatMap((words) => {
    const start = words.findIndex((word) => !/^([A-Z_]+=.*|\$|npx|time)$/.test(word))
    return words[start] === 'attune' ? [{ at, words: words.slice(start + 1), complete }] : []
  })

/** Words of prose up to the end of the sentence. @param {string} text */
function sentence(text) {
  const [words = []] = shellCommands(text)
  const end = words.findIndex((word) => /[.,:)!?…]$/.test(word))
  return end < 0 ? words : [...words.slice(0, end), String(words[end]).replace(/[.,:)!?…]+$/, '')].filter(Boolean)
}

/** The mentions in prose: code spans that begin with the program's name, and `npx attune …` outside them. @param {string} text @param {string} at @returns {Mention[]} */
function inProse(text, at) {
  const spans = [...text.matchAll(/`((?:npx )?attune [^`]*)`/g)].flatMap(([, span = '']) => inShell(span, at, false))
  const rest = text.replace(/`[^`]*`/g, '')
  const mentions = rest.split(/npx attune (?=[a-z-])/).slice(1)
  return [
    ...spans,
    ...mentions.flatMap((mention) => {
      const [line = ''] = mention.split('\n')
      return [{ at, words: sentence(line), complete: false }]
    }),
  ]
}

/** The mentions on a page. @param {import('./pages.mjs').Page} page @returns {Mention[]} */
export const mentionsOnPage = ({ path, text }) => [
  ...fencesIn(text)
    .filter(({ language }) => !/^(ts|js|mjs|yaml|json|jsonl|csv)$/.test(language))
    .flatMap(({ language, code, line }) => inShell(code, `${path}:${line}`, /^(sh|bash|shell)$/.test(language))),
  ...withoutFences(text)
    .split('\n')
    .flatMap((line, i) => inProse(line, `${path}:${i + 1}`)),
]

/** The text of a string literal or a template, with a placeholder for each interpolation. @param {ts.Node} node */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return node.head.text + node.templateSpans.map(({ literal }) => VALUE + literal.text).join('')
}

/** The mentions in the strings of a source file. @param {string} path @param {string} source @returns {Mention[]} */
export function mentionsInSource(path, source) {
  if (!source.includes('attune ')) return []
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true)
  /** @type {Mention[]} */
  const mentions = []
  const visit = (/** @type {ts.Node} */ node) => {
    const text = textOf(node)
    if (text !== undefined) {
      const at = `${path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1}`
      for (const line of text.split('\n'))
        mentions.push(...(/^\s*npx attune /.test(line) ? inShell(line, at, false) : inProse(line, at)))
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return mentions
}

/** @param {Command} command @param {string} word */
const optionOf = (command, word) => command.options.find(({ long, short }) => word === long || word === short)

/** Separates the options of a command from its arguments. @param {Command} command @param {readonly string[]} words */
function divide(command, words) {
  const unknown = []
  const args = []
  for (let i = 0; i < words.length; i++) {
    const [name = '', given] = String(words[i]).split('=', 2)
    if (name === '--') args.push(...words.slice(i + 1))
    if (name === '--') break
    if (!/^--?[a-zA-Z]/.test(name)) args.push(String(words[i]))
    else if (!['--help', '-h'].includes(name)) {
      const option = optionOf(command, name)
      if (option === undefined) unknown.push(name)
      else if (option.required && given === undefined) i++
      else if (option.variadic) while (words[i + 1] !== undefined && !String(words[i + 1]).startsWith('-')) i++
    }
  }
  return { unknown, args }
}

/** Problems with the arguments of a command that is to be run as it stands. @param {Command} command @param {readonly string[]} args */
function argumentProblems({ registeredArguments }, args) {
  const minimum = registeredArguments.filter(({ required }) => required).length
  const maximum = registeredArguments.some(({ variadic }) => variadic) ? Infinity : registeredArguments.length
  if (args.length < minimum || args.length > maximum)
    return [
      `expected ${minimum === maximum ? minimum : `${minimum} to ${maximum}`} arguments, got ${args.length} (${args.join(' ')})`,
    ]
  return registeredArguments.flatMap(({ argChoices }, i) => {
    const value = args[i]
    return argChoices === undefined || value === undefined || argChoices.includes(value)
      ? []
      : [`expected ${argChoices.join(' or ')}, got ${value}`]
  })
}

/** Problems of one mention. @param {Command} program @param {Mention} mention */
export function problemsOf(program, { at, words, complete }) {
  let command = program
  let rest = words
  while (rest[0] !== undefined) {
    const next = command.commands.find((each) => each.name() === rest[0] || each.aliases().includes(String(rest[0])))
    if (next === undefined) break
    ;[command, rest] = [next, rest.slice(1)]
  }
  const line = `\`attune ${words.join(' ')}\``
  const [first] = rest
  if (command.commands.length > 0 && first !== undefined && /^[a-z]/.test(first))
    return [`${at}: ${line}: unknown command ${first}`]
  if (command === program) return []
  const { unknown, args } = divide(command, rest)
  return [
    ...unknown.map((option) => `${at}: ${line}: ${command.name()} has no option ${option}`),
    ...(complete && !rest.includes('--help') && command.commands.length === 0
      ? argumentProblems(command, args).map((problem) => `${at}: ${line}: ${problem}`)
      : []),
  ]
}

/**
 * @param {readonly import('./packages.mjs').Package[]} packages @param {readonly import('./pages.mjs').Page[]} pages
 * @param {Command} program
 */
export function commandLines(packages, pages, program) {
  const sources = packages
    .filter(({ group }) => group === 'packages')
    .flatMap((each) =>
      sourcesOf(each).map(([path, source]) => /** @type {const} */ ([`${each.folder}/${path}`, source])),
    )
  const mentions = [
    ...pages.flatMap(mentionsOnPage),
    ...sources.flatMap(([path, source]) => mentionsInSource(path, source)),
  ]
  return {
    problems: mentions.flatMap((mention) => problemsOf(program, mention)),
    summary: `${mentions.length} command lines name commands and options that exist`,
  }
}
